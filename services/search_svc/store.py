"""The catalogue in Postgres."""

from collections.abc import Sequence
from pathlib import Path

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.search_svc.catalogue import Source
from services.search_svc.domain import Catalogue, Character, Kind, Title

SCHEMA = "search"
MIGRATIONS = Path(__file__).with_name("migrations")

# Replicas start together: one brings the catalogue in, the others find it there.
IMPORT_LOCK = 0x5EA_4C4

KEEP_SOURCE = """
    INSERT INTO catalogue_sources (name, sha256) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, imported_at = now()
"""
KEEP_TITLE = """
    INSERT INTO titles (id, source, name, kind, year, aliases, popularity) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (id) DO UPDATE SET source = excluded.source, name = excluded.name, kind = excluded.kind,
        year = excluded.year, aliases = excluded.aliases, popularity = excluded.popularity
"""
KEEP_CHARACTER = """
    INSERT INTO characters (id, title_id, name, aliases, persona, popularity) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE SET title_id = excluded.title_id, name = excluded.name, aliases = excluded.aliases,
        persona = excluded.persona, popularity = excluded.popularity
"""
DROP_CHARACTERS = """
    DELETE FROM characters USING titles
    WHERE titles.id = characters.title_id AND titles.source = $1 AND characters.id <> ALL($2)
"""


class Store:
    """Titles, their characters, and the sources they came from."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def bring_in(self, sources: Sequence[Source]) -> list[str]:
        """Makes the catalogue what the sources say; gives the names of those that had changed."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute("SELECT pg_advisory_xact_lock($1)", IMPORT_LOCK)
            kept = {row["name"]: row["sha256"] for row in await database.fetch("SELECT * FROM catalogue_sources")}
            changed = [source for source in sources if kept.get(source.name) != source.sha256]
            # What moved from one source to another must arrive before it is missed in the one it left.
            for source in changed:
                await _keep(database, source)
            for source in changed:
                await _drop_missing(database, source)
            names = [source.name for source in sources]
            await database.execute("DELETE FROM catalogue_sources WHERE name <> ALL($1)", names)
        return [source.name for source in changed]

    async def catalogue(self) -> Catalogue:
        """Everything that can be found."""
        async with (
            connection(self._pool) as database,
            database.transaction(isolation="repeatable_read", readonly=True),
        ):
            titles = await database.fetch("SELECT * FROM titles ORDER BY id")
            characters = await database.fetch("SELECT * FROM characters ORDER BY id")
        by_title: dict[str, list[Character]] = {row["id"]: [] for row in titles}
        for row in characters:
            by_title[row["title_id"]].append(_character(row))
        return Catalogue(_title(row, by_title[row["id"]]) for row in titles)


async def _keep(database: PoolConnectionProxy, source: Source) -> None:
    await database.execute(KEEP_SOURCE, source.name, source.sha256)
    await database.executemany(
        KEEP_TITLE,
        [
            (title.id, source.name, title.name, title.kind.value, title.year, title.aliases, title.popularity)
            for title in source.titles
        ],
    )
    await database.executemany(
        KEEP_CHARACTER,
        [
            (one.id, title.id, one.name, one.aliases, one.persona, one.popularity)
            for title in source.titles
            for one in title.characters
        ],
    )


async def _drop_missing(database: PoolConnectionProxy, source: Source) -> None:
    titles = [title.id for title in source.titles]
    characters = [one.id for title in source.titles for one in title.characters]
    await database.execute("DELETE FROM titles WHERE source = $1 AND id <> ALL($2)", source.name, titles)
    await database.execute(DROP_CHARACTERS, source.name, characters)


def _title(row: Record, characters: Sequence[Character]) -> Title:
    return Title(
        id=row["id"],
        name=row["name"],
        kind=Kind(row["kind"]),
        year=row["year"],
        aliases=tuple(row["aliases"]),
        popularity=row["popularity"],
        characters=tuple(characters),
    )


def _character(row: Record) -> Character:
    return Character(row["id"], row["name"], tuple(row["aliases"]), row["persona"], row["popularity"])
