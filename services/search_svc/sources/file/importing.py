"""From the bytes of a file to batches of titles."""

from collections.abc import Iterable, Iterator
from itertools import islice

from services.search_svc.domain.entries import CHARACTERS_MAX, Title
from services.search_svc.sources.file import titles
from services.search_svc.sources.file.gunzip import MAGIC, PIECE_BYTES, Gunzip
from services.search_svc.sources.file.lines import Line, Lines
from services.search_svc.sources.file.records import KNOWN, Record, Records
from services.search_svc.sources.file.rows import RowFault, TitleRow, read
from services.search_svc.sources.file.spool import Spool, Unmatched
from services.search_svc.sources.source import Batch, Cursor, Fault, Json, SourceError

TITLES_PER_BATCH = 200
CHARACTERS_PER_BATCH = 5000
# While rows are read, a batch has faults alone, and says how far it is.
ROWS_PER_BATCH = 5000
FAULTS_PER_BATCH = 500


class Import:
    """One file on its way: reads rows into a spool, then gives titles. For one thread.

    The cursor says up to which line, which character without a title, and which title everything was given.
    """

    def __init__(self, collection: str, records: Records, gzip: bool, cursor: Cursor) -> None:
        self._collection = collection
        self._records = records
        self._gunzip = Gunzip() if gzip else None
        self._lines = Lines()
        self._spool = Spool()
        self._cursor: dict[str, Json] = dict(cursor)
        self._line = self._position("line")
        self._faults: list[Fault] = []
        self._begun = False
        self._rows = 0
        self._rows_told = 0

    def close(self) -> None:
        self._spool.close()

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """Takes the next piece of the file in."""
        for piece in self._pieces(chunk):
            self._read(self._lines.feed(piece))
            if self._rows - self._rows_told >= ROWS_PER_BATCH or len(self._faults) >= FAULTS_PER_BATCH:
                yield self._progress()

    def end(self) -> Iterator[Batch]:
        """Everything that is left, once the whole file came."""
        if self._gunzip is not None:
            self._gunzip.end()
        self._read(self._lines.end(), last=True)
        yield self._progress()
        if not self._spool.titles:
            raise SourceError(f"No row of the file is a title that can be used. {KNOWN}")
        self._spool.match()
        yield from self._unmatched()
        yield from self._titles()

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        if self._gunzip is not None:
            yield from self._gunzip.feed(chunk)
            return
        if not self._begun and chunk.startswith(MAGIC):
            raise SourceError("The file is compressed with gzip, and was announced as one that is not.")
        self._begun = True
        for start in range(0, len(chunk), PIECE_BYTES):
            yield chunk[start : start + PIECE_BYTES]

    def _read(self, lines: Iterable[Line], *, last: bool = False) -> None:
        for record in self._records.feed(lines, last=last):
            for fault in self._kept(record):
                if record.line > self._position("line"):  # those before were told when the sync was here before
                    self._faults.append(Fault(f"line {record.line}", fault))
            self._line = max(self._line, record.line)

    def _kept(self, record: Record) -> Iterable[str]:
        """Keeps the record's row; what is wrong with it."""
        if record.fault:
            return [record.fault]
        self._rows += 1
        try:
            row, notes = read(record.values)
        except RowFault as fault:
            return [str(fault)]
        if not isinstance(row, TitleRow):
            self._spool.character(record.line, row)
        elif first := self._spool.title(record.line, row):
            return [f"Line {first} has a title of this id, or of this name and year where there is no id."]
        return notes

    def _progress(self) -> Batch:
        faults, self._faults, self._rows_told = self._faults, [], self._rows
        return self._batch("line", self._line, "rows", self._rows, 0, faults)

    def _unmatched(self) -> Iterator[Batch]:
        without = self._spool.unmatched(self._position("without_title"))
        while some := list(islice(without, FAULTS_PER_BATCH)):
            faults = [Fault(f"line {one.line}", _why(one)) for one in some]
            yield self._batch("without_title", some[-1].number, "rows", self._rows, self._rows, faults)

    def _titles(self) -> Iterator[Batch]:
        grouped = self._spool.grouped(self._position("title"))
        made: list[Title] = []
        faults: list[Fault] = []
        characters = 0
        for spooled, rows in grouped:
            title, surplus = titles.title(self._collection, spooled.slug, spooled.row, rows)
            made.append(title)
            characters += len(title.characters)
            if surplus:
                told = f"The title has more than {CHARACTERS_MAX} characters; the first of them are kept."
                faults.append(Fault(f"line {spooled.line}", told))
            full = len(made) >= TITLES_PER_BATCH or characters >= CHARACTERS_PER_BATCH
            if full or spooled.number == self._spool.titles:
                yield self._batch("title", spooled.number, "titles", spooled.number, self._spool.titles, faults, made)
                made, faults, characters = [], [], 0

    def _batch(
        self,
        key: str,
        position: int,
        step: str,
        done: int,
        total: int,
        faults: Iterable[Fault],
        made: Iterable[Title] = (),
    ) -> Batch:
        self._cursor[key] = position
        return Batch(dict(self._cursor), step, done, total, titles=tuple(made), faults=tuple(faults))

    def _position(self, key: str) -> int:
        value = self._cursor.get(key)
        return value if isinstance(value, int) else 0


def _why(one: Unmatched) -> str:
    shown = repr(one.title if len(one.title) <= 60 else f"{one.title[:59]}…")
    if one.candidates > 1:
        return f"{one.candidates} titles of the file are called {shown}: say the id of one in `title`, or its `year`."
    return f"{shown} is neither the id nor the name of a title of the file."
