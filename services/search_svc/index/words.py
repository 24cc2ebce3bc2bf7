"""The query's words, each by itself: in another order, with others between them, mistyped, or some of them missing."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from services.search_svc.domain.found import Match
from services.search_svc.index.arrays import I64, U32, Bools, Numbers
from services.search_svc.index.artifact import Artifact
from services.search_svc.index.candidates import NONE, Candidates
from services.search_svc.index.points import CODES, ELSEWHERE_POINTS, EXACT, LATER, MISSING_POINTS
from services.search_svc.index.ragged import rows, unique
from services.search_svc.index.typos import Near, Typos

WORDS_MAX = 12
# So many labels are looked at for a query, the best known ones.
LABELS_MAX = 4096
# A word that so many labels have leads to candidates of its own, beside the rarest word.
ALSO_RARE_MAX = 1024
# A mistyped beginning goes on in so many words at most.
GOES_ON_MAX = 4096

# How a word of a label matches one of the query: twice the typos, and one more if it only begins so.
BEGINS, MISSING = 1, 15
WORDS, ACTOR = CODES[Match.WORDS], CODES[Match.ACTOR]
PLACES = 64  # of words in a label that are told apart


class Meant(NamedTuple):
    """Words of the vocabulary that a word of the query may mean, in order, with how they match; and those that go on
    from it, as a range."""

    words: I64
    codes: I64
    goes_on: tuple[int, int] = (0, 0)

    @property
    def known(self) -> bool:
        return bool(len(self.words)) or self.goes_on[0] < self.goes_on[1]


class Looked(NamedTuple):
    """For every word of the query (rows) and label (columns): how it matches at best, and at which word."""

    codes: I64
    places: I64


class Words:
    """Finds labels by their words."""

    def __init__(self, opened: Artifact) -> None:
        arrays = opened.arrays
        self._vocabulary = opened.sorted("word_blob", "word_offset")
        self._typos = Typos(self._vocabulary, arrays)
        self._posting = arrays["posting"]
        self._word_posting = arrays["word_posting"]
        self._first = self._word_posting.data
        self._label_words = arrays["label_words"]
        self._label_word = arrays["label_word"]
        self._label_begins = arrays["label_begins"]
        self._label_entry = arrays["label_entry"]
        self._entry_title = arrays["entry_title"]
        self._entry_label = arrays["entry_label"]

    def typed(self, query: Sequence[str]) -> list[Meant]:
        """What the words mean as they were typed, the last one as a beginning."""
        *whole, last = query
        meant = [_meant(self._vocabulary.find(word.encode())) for word in whole]
        key = last.encode()
        low, high = self._vocabulary.range(key)
        exact = self._vocabulary.equal(key, low, high)
        return [*meant, Meant(np.arange(low, exact), np.zeros(exact - low, dtype=np.int64), (exact, high))]

    def with_all(self, meant: Sequence[Meant]) -> Candidates:
        """Labels that have every word."""
        if not all(one.known for one in meant):
            return NONE
        return self._candidates(meant, missing_max=0)

    def mistyped(self, query: Sequence[str], meant: Sequence[Meant]) -> Candidates:
        """Labels that have every word or one near it; failing that, those that have most."""
        single = len(query) == 1
        nearer = [
            self._near(word, one, begins=place == len(query) - 1) if single or not one.known else one
            for place, (word, one) in enumerate(zip(query, meant, strict=True))
        ]
        found = self._candidates(nearer, missing_max=0)
        if len(query) > 2 and not len(found.labels):
            # One may be wrong: cheaper to see than what each of them may have been meant to be.
            found = self._candidates(nearer, missing_max=len(query) // 3)
        if len(found.labels) or single:
            return found
        nearest = [
            self._near(word, one, begins=place == len(query) - 1)
            for place, (word, one) in enumerate(zip(query, meant, strict=True))
        ]
        return self._candidates(nearest, missing_max=len(query) // 2)

    def _near(self, word: str, typed: Meant, *, begins: bool) -> Meant:
        """What was typed, and what is near it: one change away, or two where there is nothing else."""
        changes = _changes(word)
        if not changes:
            return typed
        near = self._typos.near(word, 1, begins=begins)
        if changes > 1 and not len(near.words) and not near.ranges:
            near = self._typos.near(word, 2, begins=begins)
        return _united(typed, near, changes)

    def _candidates(self, meant: Sequence[Meant], missing_max: int) -> Candidates:
        labels = self._labels(meant, also_rare=missing_max > 0)
        if not len(labels):
            return NONE
        looked = self._look(meant, labels)
        absent = looked.codes == MISSING
        if not missing_max:
            every = np.flatnonzero(~absent.any(axis=0))
            return self._complete(labels[every], looked.codes[:, every], looked.places[:, every])
        missing = absent.sum(axis=0)
        elsewhere = absent & self._elsewhere(meant, labels)
        missing -= elsewhere.sum(axis=0)
        typos = np.where(absent, 0, looked.codes >> 1).sum(axis=0)
        # The more is missing, the surer must be what is there.
        good = (missing <= min(missing_max, int(missing.min()))) & (
            (missing == 0) | (typos <= len(meant) - 2 * missing)
        )
        found = self._complete(labels[good], looked.codes[:, good], looked.places[:, good])
        missing, elsewhere = missing[good], elsewhere[:, good].sum(axis=0)
        points = MISSING_POINTS * missing + ELSEWHERE_POINTS * elsewhere
        unordered = np.where(found.matches == ACTOR, ACTOR, WORDS)
        matches = np.where(missing + elsewhere == 0, found.matches, unordered)
        return found._replace(matches=matches.astype(np.uint8), missing=points.astype(np.float32))

    def _complete(self, labels: U32, codes: I64, places: I64) -> Candidates:
        """Labels, by how the words that they have stand in them; what they lack costs nothing here."""
        if not len(labels):
            return NONE
        typos = (codes * (codes != MISSING) >> 1).sum(axis=0)
        return Candidates(
            labels,
            self._matches(labels, codes, places).astype(np.uint8),
            np.minimum(typos, 255).astype(np.uint8),
            np.zeros(len(labels), dtype=np.float32),
        )

    def _labels(self, meant: Sequence[Meant], *, also_rare: bool) -> U32:
        """Labels that have the rarest of the words; `also_rare`: or another rare one."""
        by_size = sorted((size, place) for place, size in enumerate(map(self._size, meant)) if size)
        if also_rare:
            chosen = [pair for pair in by_size if pair[0] <= ALSO_RARE_MAX]
        else:
            chosen = by_size[:1] if len(by_size) == len(meant) else []
        pieces = []
        for _, place in chosen:
            one = meant[place]
            if len(one.words) == 1:
                word = int(one.words[0])
                pieces.append(self._posting[self._first[word] : self._first[word + 1]])
            elif len(one.words):
                pieces.append(self._posting[rows(self._word_posting, one.words).where])
            if one.goes_on[0] < one.goes_on[1]:
                pieces.append(self._posting[self._first[one.goes_on[0]] : self._first[one.goes_on[1]]])
        return unique(np.concatenate(pieces))[:LABELS_MAX] if pieces else np.zeros(0, dtype=np.uint32)

    def _size(self, meant: Meant) -> int:
        """How many times the words stand in labels."""
        first, (low, high) = self._first, meant.goes_on
        size = first[high] - first[low]
        for word in meant.words.tolist():
            size += first[word + 1] - first[word]
        return size

    def _look(self, meant: Sequence[Meant], labels: Numbers) -> Looked:
        laid = rows(self._label_word, labels)
        words = self._label_words[laid.where].astype(np.int64)
        places = np.minimum(laid.places, PLACES - 1)
        best = np.empty((len(meant), len(labels)), dtype=np.int64)
        for row, one in zip(best, meant, strict=True):
            np.minimum.reduceat(_codes(one, words) * PLACES + places, laid.begins, out=row)
        return Looked(best // PLACES, best % PLACES)

    def _elsewhere(self, meant: Sequence[Meant], labels: U32) -> Bools:
        """Which words a character lacks and its title has, as they were typed."""
        titles = self._entry_title[self._label_entry[labels]]
        return self._look(meant, self._entry_label[titles]).codes <= BEGINS

    def _matches(self, labels: U32, codes: I64, places: I64) -> I64:
        """How the query's words stand in labels that have all of them."""
        lengths = self._label_word[labels + 1] - self._label_word[labels]
        count = len(codes)
        in_order = (places[1:] == places[:-1] + 1).all(axis=0)
        whole = ((codes[-1] & 1) == 0) & (lengths == count)
        begins = self._label_begins[labels]
        ordered = np.where(places[0] == 0, np.where(whole, EXACT[begins], begins), LATER[begins])
        return np.where(in_order | (begins == ACTOR), ordered, WORDS)


def _changes(word: str) -> int:
    """How many mistyped letters a word may have."""
    if len(word) < 3 or not word.isalpha():
        return 0
    return 1 if len(word) < 5 else 2


def _meant(number: int | None) -> Meant:
    words = np.array([] if number is None else [number], dtype=np.int64)
    return Meant(words, np.zeros(len(words), dtype=np.int64))


def _united(typed: Meant, near: Near, changes: int) -> Meant:
    fine = near.typos <= changes
    ranges = [(low, high, typos) for low, high, typos in near.ranges if 0 < typos <= changes]
    ranges = [one for one in ranges if one[1] - one[0] <= GOES_ON_MAX]
    words = np.concatenate([typed.words, near.words[fine], *(np.arange(low, high) for low, high, _ in ranges)])
    codes = np.concatenate(
        [
            typed.codes,
            2 * near.typos[fine],
            *(np.full(high - low, 2 * typos + BEGINS) for low, high, typos in ranges),
        ]
    )
    places = np.lexsort((codes, words))
    words, codes = words[places], codes[places]
    first = np.ones(len(words), dtype=bool)
    first[1:] = words[1:] != words[:-1]
    return Meant(words[first], codes[first], typed.goes_on)


def _codes(meant: Meant, words: I64) -> I64:
    """How each of these words matches the one that is meant."""
    if len(meant.words) > 1:
        places = np.minimum(np.searchsorted(meant.words, words), len(meant.words) - 1)
        codes = np.where(meant.words[places] == words, meant.codes[places], MISSING)
    elif len(meant.words):
        codes = np.where(words == int(meant.words[0]), int(meant.codes[0]), MISSING)
    else:
        codes = np.full(len(words), MISSING)
    low, high = meant.goes_on
    if low < high:
        codes = np.where((words >= low) & (words < high), np.minimum(codes, BEGINS), codes)
    return codes
