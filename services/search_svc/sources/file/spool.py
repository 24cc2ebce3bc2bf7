"""The rows of one file on disk, until every title can be given with all of its characters.

A file may name a title's characters anywhere, and be larger than memory: a private SQLite database that lives as long
as the import groups them. SQLite removes its file when it is closed, or when the process dies.
"""

import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from services.search_svc.domain.entries import Kind
from services.search_svc.sources.file.rows import CharacterRow, TitleRow
from services.search_svc.sources.file.slugs import slug
from services.search_svc.terms import normal

SIZE_BYTES_MAX = 4 * 1024**3
CACHE_KIB = 32 * 1024
PAGE_BYTES = 4096
# Between the names of a list: no text from a row has a line break.
BETWEEN = "\n"

SCHEMA = f"""
    PRAGMA page_size = {PAGE_BYTES};
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA cache_size = -{CACHE_KIB};
    CREATE TABLE titles (
        number INTEGER PRIMARY KEY, slug TEXT NOT NULL UNIQUE, normal_name TEXT NOT NULL, line INTEGER NOT NULL,
        name TEXT NOT NULL, kind TEXT NOT NULL, year INTEGER NOT NULL, aliases TEXT NOT NULL, popularity REAL NOT NULL,
        adult INTEGER NOT NULL, overview TEXT NOT NULL
    );
    -- Of its title, a character says the number when it stands inside, otherwise what may be an id or a name.
    CREATE TABLE characters (
        number INTEGER PRIMARY KEY, inside INTEGER, title TEXT NOT NULL, title_slug TEXT NOT NULL,
        title_normal TEXT NOT NULL, title_year INTEGER NOT NULL, line INTEGER NOT NULL,
        id TEXT NOT NULL, name TEXT NOT NULL, aliases TEXT NOT NULL, persona TEXT NOT NULL, actors TEXT NOT NULL,
        popularity REAL
    );
    CREATE TABLE matches (title INTEGER, character INTEGER, PRIMARY KEY (title, character)) WITHOUT ROWID;
"""
BY_NAME = "CREATE INDEX titles_by_name ON titles (normal_name)"
MATCH = """
    INSERT INTO matches
    SELECT coalesce(
        inside,
        (SELECT number FROM titles WHERE slug = title_slug),
        (SELECT CASE count(*) WHEN 1 THEN max(number) END FROM titles
            WHERE normal_name = title_normal AND title_year IN (0, year)),
        0
    ), number
    FROM characters
"""
UNMATCHED = """
    SELECT characters.number, line, characters.title, (
        SELECT count(*) FROM titles WHERE normal_name = title_normal AND title_year IN (0, year)
    )
    FROM matches JOIN characters ON number = character
    WHERE matches.title = 0 AND character > ?
    ORDER BY character
"""
TITLES = """
    SELECT number, slug, line, name, kind, year, aliases, popularity, adult, overview
    FROM titles WHERE number > ? ORDER BY number
"""
CHARACTERS = """
    SELECT matches.title, id, name, aliases, persona, actors, popularity
    FROM matches CROSS JOIN characters ON number = character
    WHERE matches.title > ? ORDER BY matches.title, character
"""


class Unmatched(NamedTuple):
    """A character whose title is not in the file, or is not the only one that it may mean."""

    number: int
    line: int
    title: str
    candidates: int


class Spooled(NamedTuple):
    """A title; its characters are those of its number."""

    number: int
    slug: str
    line: int
    row: TitleRow


class Spool:
    """To be used, and closed, by one thread. sqlite3.Error when the disk is full."""

    def __init__(self, size_bytes_max: int = SIZE_BYTES_MAX) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.executescript(SCHEMA)
        self._rows.execute(f"PRAGMA max_page_count = {size_bytes_max // PAGE_BYTES}")
        self._rows.execute("BEGIN")
        self.titles = 0

    def close(self) -> None:
        self._rows.close()

    def title(self, line: int, row: TitleRow) -> int:
        """Keeps a title with the characters inside; gives the line where another title has its id, 0 for none."""
        own = slug(row.id or f"{row.name} {row.year or ''}")
        values = (
            *(own, normal(row.name), line, row.name, row.kind.value, row.year),
            *(BETWEEN.join(row.aliases), row.popularity, row.adult, row.overview),
        )
        kept = self._rows.execute("INSERT OR IGNORE INTO titles VALUES (NULL,?,?,?,?,?,?,?,?,?,?)", values)
        if not kept.rowcount:
            (first,) = self._rows.execute("SELECT line FROM titles WHERE slug = ?", (own,)).fetchone()
            return int(first)
        self.titles += 1
        for character in row.characters:
            self.character(line, character, inside=kept.lastrowid)
        return 0

    def character(self, line: int, row: CharacterRow, inside: int | None = None) -> None:
        values = (
            *(inside, row.title, *_reference(row.title), row.year, line, row.id, row.name),
            *(BETWEEN.join(row.aliases), row.persona, BETWEEN.join(row.actors), row.popularity),
        )
        self._rows.execute("INSERT INTO characters VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?)", values)

    def match(self) -> None:
        """Finds every character's title, once all rows are in: by its id, otherwise by its name where that is clear."""
        self._rows.execute(BY_NAME)
        self._rows.execute(MATCH)

    def unmatched(self, after: int) -> Iterator[Unmatched]:
        yield from map(Unmatched._make, self._rows.execute(UNMATCHED, (after,)))

    def grouped(self, after: int) -> Iterator[tuple[Spooled, Iterator[CharacterRow]]]:
        """The titles after a number with their characters, both as the file has them. A title's end with the next."""
        groups = groupby(self._rows.execute(CHARACTERS, (after,)), key=lambda row: int(row[0]))
        group = next(groups, None)
        for values in self._rows.execute(TITLES, (after,)):
            title = _title(*values)
            if group is not None and group[0] == title.number:
                yield title, (_character(*row) for row in group[1])
                group = next(groups, None)
            else:
                yield title, iter(())


@lru_cache(maxsize=1000)
def _reference(title: str) -> tuple[str, str]:
    return slug(title), normal(title)


def _title(
    number: int,
    own: str,
    line: int,
    name: str,
    kind: str,
    year: int,
    aliases: str,
    popularity: float,
    adult: int,
    overview: str,
) -> Spooled:
    row = TitleRow("", name, Kind(kind), year, _names(aliases), popularity, bool(adult), overview)
    return Spooled(number, own, line, row)


def _character(
    _: int, own: str, name: str, aliases: str, persona: str, actors: str, popularity: float | None
) -> CharacterRow:
    return CharacterRow(own, name, "", 0, _names(aliases), persona, _names(actors), popularity)


def _names(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(BETWEEN)) if joined else ()
