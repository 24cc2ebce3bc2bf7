"""What the rows of a file say: titles, and characters of titles."""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from services.search_svc.domain.entries import (
    ACTORS_MAX,
    ALIASES_MAX,
    NAME_LENGTH_MAX,
    OVERVIEW_LENGTH_MAX,
    PERSONA_LENGTH_MAX,
    POPULARITY_MAX,
    POPULARITY_MIN,
    TITLE_KINDS,
    YEAR_UNKNOWN,
    Kind,
)
from services.search_svc.sources.source import Json
from services.search_svc.terms import normal

YEAR_MIN, YEAR_MAX = 1870, 2100
ID_LENGTH_MAX = 200
# Nobody lists so many; the rest is not read.
NAMES_READ_MAX = 1000
SEPARATOR = "|"
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}
KINDS = {kind.value: kind for kind in Kind if kind in TITLE_KINDS or kind is Kind.CHARACTER}
KINDS_KNOWN = "film, series, anime, cartoon and character"


class RowFault(ValueError):
    """Why a row cannot be used, as a sentence."""


@dataclass(frozen=True, slots=True)
class CharacterRow:
    """A character. `title` is the id or the name of its title, `year` that title's; both empty inside of a title.

    Without a `popularity` the place among the title's characters decides it.
    """

    id: str
    name: str
    title: str
    year: int
    aliases: tuple[str, ...]
    persona: str
    actors: tuple[str, ...]
    popularity: float | None


@dataclass(frozen=True, slots=True)
class TitleRow:
    """A title, perhaps with characters inside."""

    id: str
    name: str
    kind: Kind
    year: int
    aliases: tuple[str, ...]
    popularity: float
    adult: bool
    overview: str
    characters: tuple[CharacterRow, ...] = ()


def read(values: Mapping[str, Json]) -> tuple[TitleRow | CharacterRow, list[str]]:
    """A row, and what in it could not be used although the row can, as sentences. RowFault when nothing of it can."""
    row = _Row(values)
    written = row.text("kind").lower() or Kind.FILM
    kind = KINDS.get(written)
    if kind is None:
        raise RowFault(f"`kind` is {_shown(written)}; known are {KINDS_KNOWN}.")
    if kind is not Kind.CHARACTER:
        return row.title(kind), row.notes
    if not row.text("title"):
        raise RowFault("A character needs the id or the name of its title in `title`.")
    return row.character(), row.notes


class _Row:
    """The values of one row, each as its column wants it."""

    def __init__(self, values: Mapping[str, Json]) -> None:
        self._values = values
        self.notes: list[str] = []

    def title(self, kind: Kind) -> TitleRow:
        popularity = self.popularity()
        return TitleRow(
            id=self.id(),
            name=self.name(),
            kind=kind,
            year=self.year(),
            aliases=self.names("aliases", ALIASES_MAX),
            popularity=POPULARITY_MIN if popularity is None else popularity,
            adult=self.flag("adult"),
            overview=_cut(self.text("overview"), OVERVIEW_LENGTH_MAX),
            characters=self.characters(),
        )

    def character(self) -> CharacterRow:
        return CharacterRow(
            id=self.id(),
            name=self.name(),
            title=self.text("title"),
            year=self.year(),
            aliases=self.names("aliases", ALIASES_MAX),
            persona=_cut(self.text("persona"), PERSONA_LENGTH_MAX),
            actors=self.names("actors", ACTORS_MAX),
            popularity=self.popularity(),
        )

    def characters(self) -> tuple[CharacterRow, ...]:
        values = self._values.get("characters")
        if values is None:
            return ()
        if not isinstance(values, list):
            raise RowFault("`characters` is no list.")
        return tuple(row for number, value in enumerate(values, 1) if (row := self._nested(number, value)) is not None)

    def _nested(self, number: int, value: Json) -> CharacterRow | None:
        if not isinstance(value, dict):
            self.notes.append(f"Character {number} is no JSON object.")
            return None
        inner = _Row({key: value[key] for key in value if key not in ("title", "year")})
        try:
            return inner.character()
        except RowFault as fault:
            inner.notes.append(str(fault))
            return None
        finally:
            self.notes += [f"Character {number}: {note}" for note in inner.notes]

    def id(self) -> str:
        written = self.text("id")
        if len(written) > ID_LENGTH_MAX:
            raise RowFault(f"The id has {len(written)} characters; {ID_LENGTH_MAX} are the most.")
        if written and not _findable(written):
            raise RowFault(f"The id {_shown(written)} has no letter or digit.")
        return written

    def name(self) -> str:
        name = self.text("name")
        if not name:
            raise RowFault("There is no name.")
        if fault := _fault(name):
            raise RowFault(f"The name {_shown(name)} {fault}.")
        return name

    def year(self) -> int:
        written = self.text("year")
        if not written:
            return YEAR_UNKNOWN
        # Spreadsheets and pandas write 1999.0 where a year is missing elsewhere in the column.
        if not re.fullmatch(r"[0-9]{4}(\.0)?", written) or not YEAR_MIN <= int(written[:4]) <= YEAR_MAX:
            raise RowFault(f"`year` is {_shown(written)}, which is no year from {YEAR_MIN} to {YEAR_MAX}.")
        return int(written[:4])

    def popularity(self) -> float | None:
        written = self.text("popularity")
        if not written:
            return None
        try:
            number = float(written)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number >= 0):
            raise RowFault(f"`popularity` is {_shown(written)}, which is no number of 0 or more.")
        return min(max(number, POPULARITY_MIN), POPULARITY_MAX)

    def flag(self, column: str) -> bool:
        written = self.text(column).lower()
        if written not in FLAGS:
            raise RowFault(f"`{column}` is {_shown(written)}, neither true nor false.")
        return FLAGS[written]

    def names(self, column: str, count_max: int) -> tuple[str, ...]:
        """The names of a list; those that nobody could find, and those above the count, are noted."""
        value = self._values.get(column)
        if not value:
            return ()
        written = value if isinstance(value, list) else self.text(column).split(SEPARATOR)
        found: dict[str, None] = {}
        for one in written[:NAMES_READ_MAX]:
            name = _text(column, one)
            fault = _fault(name) if name else ""
            if fault:
                self.notes.append(f"{_shown(name)} in `{column}` {fault}; it is passed over.")
            elif name:
                found[name] = None
        if len(found) > count_max or len(written) > NAMES_READ_MAX:
            self.notes.append(f"There are {len(written)} in `{column}`; the first {count_max} are kept.")
        return tuple(found)[:count_max]

    def text(self, column: str) -> str:
        return _text(column, self._values.get(column))


def _text(column: str, value: Json) -> str:
    """A value as one line of text without control characters."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise RowFault(f"`{column}` is no text.")
    if value.isascii() and value.isprintable():
        return value.strip()
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RowFault(f"`{column}` holds half of a UTF-16 pair, which is no character.") from error
    spaced = "".join(" " if unicodedata.category(character) == "Cc" else character for character in value)
    return unicodedata.normalize("NFC", " ".join(spaced.split()))


def _fault(name: str) -> str:
    """Why a name cannot be one, as the end of a sentence; empty when it can."""
    if len(name) > NAME_LENGTH_MAX:
        return f"has {len(name)} characters; {NAME_LENGTH_MAX} are the most"
    return "" if _findable(name) else "has no letter or digit to be found by"


def _findable(text: str) -> bool:
    return any(character.isalnum() for character in text) if text.isascii() else bool(normal(text))


def _cut(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else f"{text[: length_max - 1].rstrip()}…"


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")
