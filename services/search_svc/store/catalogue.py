"""The whole catalogue: what ships with the service brought in, everything merged on its way out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime
from itertools import groupby

import structlog
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.search_svc.catalogue import Source
from services.search_svc.domain.entries import Character, Title
from services.search_svc.domain.merging import Sourced, merged
from services.search_svc.store import entries
from services.search_svc.store.entries import BULK_SECONDS, SHIPPED_SUFFIX, WISH

log = structlog.get_logger()

# So many at a time are in memory, with their characters.
PAGE_TITLES = 500

KEEP_SOURCE = """
    INSERT INTO catalogue_sources (name, sha256, precedence, imported_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO UPDATE
        SET sha256 = excluded.sha256, precedence = excluded.precedence, imported_at = excluded.imported_at
"""
SHIPPED = "SELECT name, sha256 FROM catalogue_sources WHERE name LIKE '%' || $1"
DROP_SHIPPED = "DELETE FROM catalogue_sources WHERE name LIKE '%' || $1 AND name <> ALL($2) RETURNING name"
DROP_MISSING = "DELETE FROM titles WHERE source = $1 AND id <> ALL($2)"

# Keys alone are sorted; the titles behind them follow page by page.
KEYS = """
    SELECT titles.id, match_key, source, precedence
    FROM titles JOIN catalogue_sources ON catalogue_sources.name = source
    ORDER BY match_key COLLATE "C", titles.id COLLATE "C"
"""
TITLES = "SELECT * FROM titles WHERE id = ANY($1)"
CHARACTERS = 'SELECT * FROM characters WHERE title_id = ANY($1) ORDER BY popularity DESC, id COLLATE "C"'


class Catalogue:
    """Titles, their characters, and the sources that they came from. `clock` gives the present in UTC."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock

    async def bring_in(self, sources: Sequence[Source]) -> list[str]:
        """Makes the shipped part of the catalogue what the files say; gives the names of those that had changed.

        A change wishes for a new index. A shipped title whose id another source has stays out.
        """
        async with connection(self._pool) as database, database.transaction():
            await database.execute(entries.LOCK, timeout=BULK_SECONDS)
            kept = {row["name"]: row["sha256"] for row in await database.fetch(SHIPPED, SHIPPED_SUFFIX)}
            changed = [source for source in sources if kept.get(source.name) != source.sha256]
            now = self._clock()
            await database.executemany(KEEP_SOURCE, [(source.name, source.sha256, 0, now) for source in changed])
            # Together: what moved from one file to another must arrive before it is missed in the one it left.
            written = await entries.write(database, {source.name: source.titles for source in changed}, None)
            for source in changed:
                await database.execute(DROP_MISSING, source.name, [title.id for title in source.titles])
            dropped = await database.fetch(DROP_SHIPPED, SHIPPED_SUFFIX, [source.name for source in sources])
            if changed or dropped:
                await database.execute(WISH, None, now)
        for place, description in written.faults:
            log.warning("shipped entry left out", entry=place, why=description)
        return [source.name for source in changed]

    async def titles(self) -> AsyncGenerator[Title, None]:
        """Every title as it was at one moment, those of several sources merged, always in the same order.

        Holds a connection and a page of titles, however many there are. Close it when you stop early.
        """
        async with (
            connection(self._pool) as database,
            database.transaction(isolation="repeatable_read", readonly=True),
        ):
            cursor = await database.cursor(KEYS, timeout=BULK_SECONDS)
            waiting: list[Record] = []
            while page := await cursor.fetch(PAGE_TITLES, timeout=BULK_SECONDS):
                waiting += page
                # The last key may go on in the next page.
                whole = [row for row in waiting if row["match_key"] != page[-1]["match_key"]]
                waiting = waiting[len(whole) :]
                for title in await _merged(database, whole):
                    yield title
            for title in await _merged(database, waiting):
                yield title


async def _merged(database: PoolConnectionProxy, keys: Sequence[Record]) -> list[Title]:
    """The titles behind rows of KEYS."""
    if not keys:
        return []
    ids = [row["id"] for row in keys]
    casts: dict[str, list[Character]] = defaultdict(list)
    for row in await database.fetch(CHARACTERS, ids, timeout=BULK_SECONDS):
        casts[row["title_id"]].append(entries.character_from(row))
    rows = await database.fetch(TITLES, ids, timeout=BULK_SECONDS)
    titles = {row["id"]: entries.title_from(row, casts[row["id"]]) for row in rows}
    return [
        title
        for _, alike in groupby(keys, key=lambda row: row["match_key"])
        for title in merged(Sourced(titles[row["id"]], _origin(row["source"]), row["precedence"]) for row in alike)
    ]


def _origin(source: str) -> str:
    """The shipped files are one source."""
    return SHIPPED_SUFFIX if source.endswith(SHIPPED_SUFFIX) else source
