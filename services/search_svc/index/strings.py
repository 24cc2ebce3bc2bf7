"""Strings in an array of bytes, one after the other, each ended by a byte of 0."""

from collections.abc import Iterable, Sequence
from mmap import mmap
from typing import TypeAlias

import numpy as np

from services.search_svc.index.arrays import U8, U32, U64

END = b"\0"
AFTER_ALL = b"\xff"

# Bytes, perhaps of a file, and where in them a blob begins.
Blob: TypeAlias = tuple[bytes | mmap, int]


class Strings:
    """Strings by number."""

    def __init__(self, blob: U8, offsets: U64) -> None:
        self._blob = blob.data
        self._offsets = offsets.data

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, number: int) -> str:
        return str(self._blob[self._offsets[number] : self._offsets[number + 1] - 1], "utf-8")


class Sorted:
    """Keys in order, found by prefix. A key is all bytes from its offset up to the next 0."""

    def __init__(self, blob: Blob, offsets: U32, by_two: U32) -> None:
        # The bytes themselves: a slice of them is several times faster than one of an array.
        self._bytes, self._base = blob
        self._offsets = offsets.data
        self._by_two = by_two.data

    def __len__(self) -> int:
        return len(self._offsets)

    def range(self, prefix: bytes) -> tuple[int, int]:
        """The keys that begin with the prefix, from the first to before the last."""
        low = self._first(prefix)
        # Most ranges are short: steps that double lead to their end sooner than halving everything.
        end, step = low, 1
        while end < len(self._offsets) and self._begins(end, prefix):
            low_end, end, step = end, end + step, 2 * step
        if end == low:
            return low, low
        return low, self._between(prefix + AFTER_ALL, low_end + 1, min(end, len(self._offsets)))

    def equal(self, key: bytes, low: int, high: int) -> int:
        """Where, in a range that begins with the key, those end that are no longer than it."""
        while low < high and self._ends(low, key):
            low += 1
        return low

    def find(self, key: bytes) -> int | None:
        """The number of a key; of several, the first."""
        number = self._first(key)
        found = number < len(self._offsets) and self._begins(number, key) and self._ends(number, key)
        return number if found else None

    def __getitem__(self, number: int) -> str:
        begin = self._base + self._offsets[number]
        return self._bytes[begin : self._bytes.find(END, begin)].decode()

    def _begins(self, number: int, prefix: bytes) -> bool:
        begin = self._base + self._offsets[number]
        return self._bytes[begin : begin + len(prefix)] == prefix

    def _ends(self, number: int, key: bytes) -> bool:
        end = self._base + self._offsets[number] + len(key)
        return self._bytes[end : end + 1] == END

    def _first(self, key: bytes) -> int:
        """Where the first key stands that is not less."""
        if len(key) < 2:
            return self._by_two[key[0] << 8]
        two = key[0] << 8 | key[1]
        return self._between(key, self._by_two[two], self._by_two[two + 1])

    def _between(self, key: bytes, low: int, high: int) -> int:
        blob, base, offsets, length = self._bytes, self._base, self._offsets, len(key)
        while low < high:
            middle = (low + high) // 2
            begin = base + offsets[middle]
            if blob[begin : begin + length] < key:
                low = middle + 1
            else:
                high = middle
        return low


def by_two(blob: U8, offsets: U32) -> U32:
    """Where the keys begin whose first two bytes are 0, 1, 2 and so on as one number."""
    twos = blob[offsets].astype(np.uint32) << 8 | blob[offsets + np.uint32(1)]
    return np.searchsorted(twos, np.arange((1 << 16) + 1)).astype(np.uint32)


def packed(texts: Iterable[str]) -> tuple[U8, U64]:
    """The bytes of the texts, and where each begins; one offset more than texts."""
    return packed_bytes([text.encode() for text in texts])


def packed_bytes(keys: Sequence[bytes]) -> tuple[U8, U64]:
    lengths = np.fromiter((len(one) + 1 for one in keys), dtype=np.uint64, count=len(keys))
    offsets = np.zeros(len(keys) + 1, dtype=np.uint64)
    np.cumsum(lengths, out=offsets[1:])
    return np.frombuffer(END.join([*keys, b""]), dtype=np.uint8), offsets
