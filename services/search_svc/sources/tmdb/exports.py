"""TMDB's daily lists of all ids: gzipped lines of JSON, each with an id and its popularity, a million films long."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heappop, heappush, heappushpop
from io import BytesIO
from typing import NamedTuple

from services.search_svc.sources.tmdb.medium import Medium
from services.search_svc.sources.tmdb.shapes import Listed
from services.search_svc.sources.web import Gone, Unanswered, Web

FILES = {Medium.MOVIE: "movie_ids", Medium.TV: "tv_series_ids"}
# The day's list is there at about eight o'clock in UTC.
DAYS_BACK_MAX = 2
# Read in one go, which takes about a millisecond: the process answers queries meanwhile.
LINES_AT_ONCE = 250
LINE_BYTES_MAX = 10_000
LINES_MAX = 10_000_000


class Ranked(NamedTuple):
    """An id, with its popularity as TMDB counts it."""

    id: int
    popularity: float


@dataclass(frozen=True, slots=True)
class Export:
    """The list of a day, as it came; `lines` says how many it has."""

    day: date
    packed: bytes
    lines: int

    async def pieces(self, lines_max: int, first: int = 0) -> AsyncIterator[list[Listed | None]]:
        """What its lines say from the `first` on, at least `lines_max` at once; None for a line that is no entry."""
        piece: list[Listed | None] = []
        read = 0
        for lines in _unpacked(self.packed):
            # Others have their turn: this is a million lines long.
            await asyncio.sleep(0)
            piece += [_entry(line) for line in lines[max(0, first - read) :]]
            read += len(lines)
            if len(piece) >= lines_max:
                yield piece
                piece = []
        if piece:
            yield piece

    async def most_popular(self, entries_max: int) -> list[Ranked]:
        """Most popular first, of equals the lower id."""
        best: list[tuple[float, int]] = []
        async for piece in self.pieces(LINES_AT_ONCE):
            for one in filter(None, piece):
                if len(best) < entries_max:
                    heappush(best, (one.popularity, -one.id))
                else:
                    heappushpop(best, (one.popularity, -one.id))
        ranked: list[Ranked] = []
        while best:
            await asyncio.sleep(0)
            worst = (heappop(best) for _ in range(min(len(best), LINES_AT_ONCE)))
            ranked += [Ranked(-number, popularity) for popularity, number in worst]
        return ranked[::-1]


class Exports:
    """The daily lists that are to be had."""

    def __init__(self, web: Web, clock: Callable[[], datetime]) -> None:
        self._web = web
        self._clock = clock

    async def latest(self, medium: Medium, wanted: date | None = None) -> Export | None:
        """The list of the day `wanted` if it is still there, else the newest; None when none is whole."""
        today = self._clock().date()
        days = [today - timedelta(days=back) for back in range(DAYS_BACK_MAX + 1)]
        for day in [wanted, *days] if wanted is not None else days:
            export = await self._of(medium, day)
            if export is not None:
                return export
        return None

    async def _of(self, medium: Medium, day: date) -> Export | None:
        try:
            packed = await self._web.body(f"{FILES[medium]}_{day:%m_%d_%Y}.json.gz")
        except Unanswered:
            return None
        lines = 0
        if isinstance(packed, Gone):
            return None
        try:
            for piece in _unpacked(packed):
                lines += len(piece)
                await asyncio.sleep(0)
        except (OSError, EOFError, zlib.error):
            return None
        return Export(day, packed, lines)


def _unpacked(packed: bytes) -> Iterator[list[bytes]]:
    """Lines, some at a time. OSError, EOFError or zlib.error when the file is damaged."""
    with gzip.open(BytesIO(packed)) as file:
        for _ in range(LINES_MAX // LINES_AT_ONCE):
            lines = [line for _ in range(LINES_AT_ONCE) if (line := file.readline(LINE_BYTES_MAX))]
            if not lines:
                return
            yield lines


def _entry(line: bytes) -> Listed | None:
    try:
        return Listed.model_validate_json(line)
    except ValueError:
        return None
