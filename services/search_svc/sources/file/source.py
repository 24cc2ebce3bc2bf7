"""Brings the titles of a file, batch by batch."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from services.search_svc.domain.sync import Format, Mode
from services.search_svc.sources.file.importing import Import
from services.search_svc.sources.file.records import CsvRecords, JsonRecords
from services.search_svc.sources.source import Batch, Cursor, SourceError

Value = TypeVar("Value")

# An extended result code has more above its primary one.
PRIMARY_CODE = 0xFF
DISK = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})


@dataclass(frozen=True, slots=True)
class FileSource:
    """The titles of one file. `chunks` begins the file anew at every call.

    All rows are read, and spooled to disk, before the first title is given, since its characters may stand anywhere.
    """

    collection: str
    format: Format
    gzip: bool
    chunks: Callable[[], AsyncIterator[bytes]]

    @property
    def name(self) -> str:
        return f"file:{self.collection}"

    @property
    def precedence(self) -> int:
        return 10

    @property
    def complete(self) -> bool:
        return True

    async def batches(
        self, mode: Mode, cursor: Cursor, titles_max: int, since: datetime | None
    ) -> AsyncGenerator[Batch, None]:
        """Every title of the file: neither mode nor `titles_max` nor `since` means anything here.

        Going on after a cursor reads the file anew, but gives no title and no fault again. Keys of the cursor that
        are not the source's own stay in it.
        """
        records = CsvRecords() if self.format is Format.CSV else JsonRecords()
        # One thread for all of it: a cancelled step ends there before the rows are thrown away.
        with ThreadPoolExecutor(1, "file") as thread:
            work = await _in(thread, partial(Import, self.collection, records, self.gzip, cursor))
            chunks = self.chunks()
            try:
                async for chunk in chunks:
                    async for batch in _steps(thread, work.feed(chunk)):
                        yield batch
                async for batch in _steps(thread, work.end()):
                    yield batch
            finally:
                if isinstance(chunks, AsyncGenerator):
                    await chunks.aclose()
                await _in(thread, work.close)


async def _steps(thread: Executor, batches: Iterator[Batch]) -> AsyncIterator[Batch]:
    while (batch := await _in(thread, partial(next, batches, None))) is not None:
        yield batch


async def _in(thread: Executor, work: Callable[[], Value]) -> Value:
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, work)
    except sqlite3.Error as error:
        if error.sqlite_errorcode & PRIMARY_CODE not in DISK:
            raise
        raise SourceError(f"The rows do not fit on this machine's disk while they are sorted: {error}.") from error
