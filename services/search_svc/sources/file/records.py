"""The rows of a file as values by column, before anybody asks what they mean."""

import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from services.search_svc.sources.file.lines import LINE_BYTES_MAX, Line
from services.search_svc.sources.source import Json, SourceError

COLUMNS = (
    "kind",
    "id",
    "name",
    "year",
    "aliases",
    "popularity",
    "adult",
    "overview",
    "title",
    "persona",
    "actors",
)
# JSON alone can hold rows inside of a row.
KEYS = (*COLUMNS, "characters")
KNOWN = f"Known are {', '.join(COLUMNS[:-1])} and {COLUMNS[-1]}."
UNKNOWN_TOLD_MAX = 20


class Record(NamedTuple):
    """A row, or why there is none; it begins in `line`."""

    line: int
    values: dict[str, Json]
    fault: str = ""


class Records(Protocol):
    """Makes records of lines; at the `last` ones it keeps nothing back."""

    def feed(self, lines: Iterable[Line], *, last: bool = False) -> Iterator[Record]: ...


class CsvRecords:
    """RFC 4180 with a header line. SourceError when the header has no use.

    Where quotation marks do not pair up, the record's first line is a fault and the next line begins another record.
    """

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._columns: Sequence[str] = ()

    def feed(self, lines: Iterable[Line], *, last: bool = False) -> Iterator[Record]:
        self._lines.extend(lines)
        while self._lines:
            taken = _Taken(self._lines)
            try:
                fields = next(csv.reader(taken, strict=True))
                fault = next((line.fault for line in taken.lines if line.fault), "")
            except csv.Error as error:
                if taken.short and not last and taken.size < LINE_BYTES_MAX:
                    self._lines.extendleft(reversed(taken.lines))
                    return
                self._lines.extendleft(reversed(taken.lines[1:]))
                reason = "a quotation mark is not closed" if taken.short else str(error)
                fields, fault = [], taken.lines[0].fault or f"This is not CSV: {reason}."
            yield from self._records(taken.lines[0].number, fields, fault)

    def _records(self, line: int, fields: list[str], fault: str) -> Iterator[Record]:
        if fault:
            if not self._columns:
                raise SourceError(f"The header line cannot be read. {fault}")
            yield Record(line, {}, fault)
        elif not any(fields):
            return
        elif not self._columns:
            self._columns = _header(fields)
            unknown = [column for column in self._columns if column not in COLUMNS]
            for column in unknown[:UNKNOWN_TOLD_MAX]:
                yield Record(line, {}, _passed_over(column))
        elif len(fields) != len(self._columns):
            yield Record(line, {}, f"There are {len(fields)} fields; the header has {len(self._columns)}.")
        else:
            yield Record(line, dict(zip(self._columns, fields, strict=True)))


class JsonRecords:
    """A JSON object on every line."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def feed(self, lines: Iterable[Line], *, last: bool = False) -> Iterator[Record]:
        for line in lines:
            if line.fault:
                yield Record(line.number, {}, line.fault)
            elif not line.text.isspace():
                yield from self._records(line)

    def _records(self, line: Line) -> Iterator[Record]:
        try:
            values = json.loads(line.text, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            yield Record(line.number, {}, f"This is not JSON: {error}.")
            return
        if not isinstance(values, dict):
            yield Record(line.number, {}, "This is no JSON object.")
            return
        for key in values.keys() - set(KEYS) - self._told:
            if len(self._told) < UNKNOWN_TOLD_MAX:
                self._told.add(key)
                yield Record(line.number, {}, _passed_over(key))
        yield Record(line.number, values)


class _Taken:
    """Gives csv.reader the lines that it asks for, and remembers them; `short` when there were too few."""

    def __init__(self, lines: deque[Line]) -> None:
        self._rest = lines
        self.lines: list[Line] = []
        self.short = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._rest:
            self.short = True
            raise StopIteration
        line = self._rest.popleft()
        self.lines.append(line)
        return line.text

    @property
    def size(self) -> int:
        return sum(len(line.text) for line in self.lines)


def _header(fields: list[str]) -> list[str]:
    columns = [field.strip().lower() for field in fields]
    if "name" not in columns:
        shown = ",".join(columns)[:80]
        raise SourceError(f"The header line has no column `name` between commas: {shown!r}. {KNOWN}")
    twice = next((column for column in columns if column in COLUMNS and columns.count(column) > 1), "")
    if twice:
        raise SourceError(f"The header line has the column `{twice}` twice.")
    return columns


def _passed_over(column: str) -> str:
    return f"`{column[:60]}` is no column that is known; it is passed over in all rows. {KNOWN}"


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no number")
