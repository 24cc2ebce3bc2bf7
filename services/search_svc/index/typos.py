"""Mistyped words: those of the vocabulary that are one or two changes away, without trying every change.

Two words that are d changes apart become equal when at most d letters are left out of each (Garbe's symmetric delete).
Beginnings of words, up to 7 letters, are kept under the hashes of what leaving letters out makes of them; so a mistyped
beginning finds the words that go on from it. Hashes may collide: what is found is compared with what was typed.
A change is a letter too many, too few, another one, or two that changed places.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import OSA

from services.search_svc.index.arrays import I64, U8, U32, U64, Arrays
from services.search_svc.index.ragged import unique
from services.search_svc.index.strings import Sorted

BEGINNING_MAX = 7
BEGINNING_MIN = 3
# Below this length a beginning or a word is kept with one letter left out, never with two.
TWO_TYPOS_MIN = 5
# So many words are compared for one mistyped word, the nearest in length first.
COMPARED_MAX = 256

POWERS = np.array([pow(0x9E3779B97F4A7C15, power + 1, 1 << 64) for power in range(BEGINNING_MAX)], dtype=np.uint64)
OF_LENGTH = np.array([0xD1B54A32D192ED03 * count % (1 << 64) for count in range(BEGINNING_MAX + 1)], dtype=np.uint64)
FOLD = np.uint64(0xFF51AFD7ED558CCD)
HASH_MAX = np.uint64((1 << 32) - 2)
ONE = np.uint32(1)
HALF = np.uint64(32)


class Near(NamedTuple):
    """Words that may be meant, by number: singly, and as ranges that a mistyped beginning goes on in."""

    words: I64
    typos: I64
    ranges: list[tuple[int, int, int]]  # first, after the last, typos


class Typos:
    """What the vocabulary has near a mistyped word."""

    def __init__(self, words: Sorted, arrays: Arrays) -> None:
        self._words = words
        self._lengths: U8 = arrays["word_length"]
        self._letters: U32 = arrays["word_letters"]
        self._low: U32 = arrays["beginning_low"]
        self._high: U32 = arrays["beginning_high"]
        self._long: U8 = arrays["beginning_length"]
        self._tables = [(arrays[f"typos{one}_hash"], arrays[f"typos{one}_beginning"]) for one in (1, 2)]

    def near(self, word: str, typos_max: int, *, begins: bool) -> Near:
        """The words within so many changes; `begins`: also those that go on from a beginning within so many."""
        found = self._beginnings(word, typos_max)
        candidates = self._candidates(word, found, typos_max)
        words, typos = [], []
        for number in candidates.tolist():
            count = _typos(word, self._words[number], typos_max)
            if count is not None:
                words.append(number)
                typos.append(count)
        ranges = list(self._ranges(word, found, typos_max)) if begins else []
        return Near(np.array(words, dtype=np.int64), np.array(typos, dtype=np.int64), ranges)

    def _beginnings(self, word: str, typos_max: int) -> U32:
        codes = _codes([word])[0]
        length = min(len(word), BEGINNING_MAX)
        found = []
        for left_out, (hashes, beginnings) in enumerate(self._tables, start=1):
            if left_out > typos_max:
                break
            kept, counts = _variants(length, range(typos_max + 1))
            sought = _hash(codes[kept], counts)
            ends = np.searchsorted(hashes, np.concatenate([sought, sought + ONE])).tolist()
            pairs = zip(ends[: len(sought)], ends[len(sought) :], strict=True)
            found += [beginnings[low:high] for low, high in pairs if low < high]
        return unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.uint32)

    def _candidates(self, word: str, beginnings: U32, typos_max: int) -> I64:
        """Whole words that begin so, as far as their lengths and letters allow that they are near enough."""
        low = self._low[beginnings].astype(np.int64)
        whole = self._long[beginnings] < BEGINNING_MAX
        counts = np.where(whole, 1, self._high[beginnings] - low)
        numbers = np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        lengths = self._lengths[numbers].astype(np.int64)
        least = np.repeat(np.where(whole, self._long[beginnings], 0), counts)
        apart = np.bitwise_count(self._letters[numbers] ^ np.uint32(letters(word)))
        off = np.abs(lengths - len(word))
        good = (off <= typos_max) & (apart <= 2 * typos_max) & ((least == 0) | (lengths == least))
        numbers = numbers[good]
        if len(numbers) > COMPARED_MAX:
            numbers = np.sort(numbers[np.argsort(off[good], kind="stable")[:COMPARED_MAX]])
        return numbers

    def _ranges(self, word: str, beginnings: U32, typos_max: int) -> Iterator[tuple[int, int, int]]:
        """Where mistyped beginnings go on: those that are as long as what was typed, or as far as they are kept."""
        sought = min(len(word), BEGINNING_MAX)
        near = beginnings[np.abs(self._long[beginnings].astype(np.int64) - sought) <= 1]
        if not len(near) or len(word) > BEGINNING_MAX + 1:
            return
        columns = (column[near].tolist() for column in (self._low, self._high, self._long))
        for first, last, length in zip(*columns, strict=True):
            count = _typos(word, self._words[first][:length], typos_max)
            if count is not None:
                yield first, last, count


def letters(word: str) -> int:
    """A bit for every letter of a word, the same for letters that are 32 apart."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


def tables(words: Sequence[str]) -> Arrays:
    """What `Typos` needs of a vocabulary in order."""
    lengths = np.fromiter((len(word) for word in words), dtype=np.int64, count=len(words))
    codes = _codes(words)
    low: list[I64] = []
    high: list[I64] = []
    long: list[U8] = []
    hashed: tuple[list[U64], list[U64]] = ([], [])
    count = 0
    for length in range(BEGINNING_MIN, BEGINNING_MAX + 1):
        first, last = _groups(codes, lengths, length)
        numbers = np.arange(count, count + len(first), dtype=np.uint32)
        count += len(first)
        low.append(first)
        high.append(last)
        long.append(np.full(len(first), length, dtype=np.uint8))
        _hash_into(hashed[0], codes[first], length, range(2), numbers)
        if length >= TWO_TYPOS_MIN:
            ends = (lengths[first] == length) | (length == BEGINNING_MAX)
            _hash_into(hashed[1], codes[first[ends]], length, range(2, 3), numbers[ends])
    made: Arrays = {
        "word_length": np.minimum(lengths, 255).astype(np.uint8),
        "word_letters": np.fromiter((letters(word) for word in words), dtype=np.uint32, count=len(words)),
        "beginning_low": np.concatenate(low).astype(np.uint32),
        "beginning_high": np.concatenate(high).astype(np.uint32),
        "beginning_length": np.concatenate(long),
    }
    for one, pieces in enumerate(hashed, start=1):
        pairs = np.unique(np.concatenate(pieces)) if pieces else np.zeros(0, dtype=np.uint64)
        made[f"typos{one}_hash"] = (pairs >> HALF).astype(np.uint32)
        made[f"typos{one}_beginning"] = pairs.astype(np.uint32)
    return made


def _groups(codes: U64, lengths: I64, length: int) -> tuple[I64, I64]:
    """The first word, and the one after the last, of every beginning of this length. Words are in order."""
    long = np.flatnonzero(lengths >= length)
    if not len(long):
        return long, long
    beginnings = codes[long, :length]
    new = np.ones(len(long), dtype=bool)
    new[1:] = (beginnings[1:] != beginnings[:-1]).any(axis=1)
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], len(long)) - 1
    return long[starts], long[ends] + 1


def _hash_into(pieces: list[U64], codes: U64, length: int, left_out: range, numbers: U32) -> None:
    """Adds hash and number as one value, for every way to leave out so many letters."""
    for kept, count in zip(*_variants(length, left_out), strict=True):
        hashes = _hash(codes[:, kept], count)
        pieces.append((hashes.astype(np.uint64) << HALF) | numbers)


@cache
def _variants(length: int, left_out: range) -> tuple[I64, I64]:
    """Which letters are kept, for every way to leave out so many, and how many they are."""
    ways = [kept for count in left_out if count < length for kept in combinations(range(length), length - count)]
    padded = [[*kept, *[BEGINNING_MAX] * (BEGINNING_MAX - len(kept))] for kept in ways]
    return np.array(padded, dtype=np.int64), np.array([len(kept) for kept in ways], dtype=np.int64)


def _hash(codes: U64, count: I64) -> U32:
    mixed = (codes * POWERS).sum(axis=-1, dtype=np.uint64) + OF_LENGTH[count]
    # The largest number is left free, so that every hash has a next one.
    folded: U64 = np.minimum((mixed * FOLD) >> HALF, HASH_MAX)
    return folded.astype(np.uint32)


def _codes(words: Sequence[str]) -> U64:
    """The first letters of words as numbers, 0 after their end, and a 0 behind them."""
    codes = np.array([word[:BEGINNING_MAX] for word in words], dtype=f"<U{BEGINNING_MAX + 1}").view(np.uint32)
    return codes.reshape(len(words), BEGINNING_MAX + 1).astype(np.uint64)


def _typos(word: str, other: str, typos_max: int) -> int | None:
    """How many changes lie between the two, one more if the first letter changed; None for too many."""
    distance = OSA.distance(word, other, score_cutoff=typos_max)
    if distance > typos_max:
        return None
    return distance + (distance > 0 and word[0] != other[0])
