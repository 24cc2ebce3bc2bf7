"""The names that a provider has said, however many, in a fixed amount of memory."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

BITS = 1 << 24
PLACES = 4


class Seen:
    """A Bloom filter in 2 MiB.

    A name that was added is in it. Of a million others one in 400 seems to be, and with another `salt` (16 bytes at
    most) it is not the same ones again.
    """

    def __init__(self, salt: bytes) -> None:
        self._salt = salt
        self._bits = bytearray(BITS // 8)

    def add(self, name: str) -> None:
        for place in self._places(name):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, name: str) -> bool:
        return all(self._bits[place >> 3] & 1 << (place & 7) for place in self._places(name))

    def _places(self, name: str) -> Iterator[int]:
        digest = blake2b(name.encode(), digest_size=4 * PLACES, salt=self._salt).digest()
        for place in range(PLACES):
            yield int.from_bytes(digest[4 * place : 4 * place + 4]) % BITS
