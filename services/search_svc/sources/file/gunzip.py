"""Decompression that stays within bounds, whatever the file says."""

import zlib
from collections.abc import Iterator

from services.search_svc.sources.source import SourceError

BYTES_MAX = 2 * 1024**3
# Text shrinks to a tenth or a twentieth; what shrinks further than this was made to fill a disk.
RATIO_MAX = 200
# So much may come out of very little, where a ratio says nothing yet.
RATIO_FREE_BYTES = 16 * 1024**2
PIECE_BYTES = 64 * 1024

GZIP = 16 + zlib.MAX_WBITS
MAGIC = b"\x1f\x8b"


class Gunzip:
    """A gzip file as it comes in, also one of several members; SourceError when it is none, cut off or too large."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes_in = 0
        self._bytes_out = 0
        self._member = zlib.decompressobj(GZIP)
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What is in the chunk, in pieces of at most 64 KiB."""
        self._bytes_in += len(chunk)
        while chunk:
            if self._member.eof:
                chunk = chunk.lstrip(b"\0")  # some writers fill the last block
                if not chunk:
                    return
                self._member = zlib.decompressobj(GZIP)
            self._begun = True
            piece = self._expanded(chunk)
            if piece:
                yield piece
            chunk = self._member.unused_data if self._member.eof else self._member.unconsumed_tail

    def end(self) -> None:
        """SourceError unless everything that belongs to the file came."""
        if not self._member.eof and self._begun:
            raise SourceError("The gzip file is cut off: compress it, or upload it, once more.")

    def _expanded(self, chunk: bytes) -> bytes:
        try:
            piece = self._member.decompress(chunk, PIECE_BYTES)
        except zlib.error as error:
            raise SourceError(f"The file is no gzip file, or is damaged: {error}.") from error
        self._bytes_out += len(piece)
        if self._bytes_out > self._bytes_max:
            raise SourceError(f"The file holds more than {self._bytes_max:,} bytes when it is decompressed: divide it.")
        if self._bytes_out > max(RATIO_FREE_BYTES, RATIO_MAX * self._bytes_in):
            raise SourceError(f"The file becomes more than {RATIO_MAX} times larger when it is decompressed: refused.")
        return piece
