"""A file's lines, none of them longer than is good for memory."""

import codecs
from typing import NamedTuple

LINE_BYTES_MAX = 1024**2

TOO_LONG = "The line is longer than 1 MiB."
NOT_UTF8 = "The row is not UTF-8."


class Line(NamedTuple):
    """A line with its end. With a fault it is of no use: `text` is then empty, or has lone surrogates."""

    number: int
    text: str
    fault: str = ""


class Lines:
    """Cuts a file into lines as it comes in. One that is too long is passed over without being kept."""

    def __init__(self) -> None:
        self._number = 0
        self._rest = b""
        self._passing = False

    def feed(self, piece: bytes) -> list[Line]:
        """The lines that end in this piece."""
        *whole, rest = (self._rest + piece).split(b"\n")
        lines = [self._line(raw) for raw in whole]
        self._passing = self._passing or len(rest) > LINE_BYTES_MAX
        self._rest = b"" if self._passing else rest
        return lines

    def end(self) -> list[Line]:
        """The last line, where nothing ends it."""
        return [self._line(self._rest)] if self._rest or self._passing else []

    def _line(self, raw: bytes) -> Line:
        self._number += 1
        too_long, self._passing = self._passing or len(raw) > LINE_BYTES_MAX, False
        if too_long:
            return Line(self._number, "", TOO_LONG)
        if self._number == 1:
            raw = raw.removeprefix(codecs.BOM_UTF8)
        try:
            return Line(self._number, f"{raw.decode()}\n")
        except UnicodeDecodeError:
            return Line(self._number, f"{raw.decode(errors='surrogateescape')}\n", NOT_UTF8)
