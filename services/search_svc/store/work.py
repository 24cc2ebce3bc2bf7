"""Syncs as the processes see them that work at them: one owner at a time, and only the owner writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.events.schema import append
from runtime.postgres import Pool, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.search_svc.domain.keeping import printable
from services.search_svc.domain.sync import FAULTS_KEPT_MAX, Mode, State, Sync
from services.search_svc.sources.source import Batch, Source, SourceError
from services.search_svc.store import entries
from services.search_svc.store.entries import BULK_SECONDS, WISH
from services.search_svc.store.rows import cursor_of, only, sync_from

# A sync that waits, one whose owner is not heard of any more, or one that this owner has given up working at.
TAKE = """
    UPDATE syncs SET state = 'running', owner = $1, leased_until = $3
    WHERE id = (
        SELECT id FROM syncs
        WHERE id <> ALL($4) AND (state = 'queued' OR (state = 'running' AND (leased_until <= $2 OR owner = $1)))
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""
RENEW = """
    UPDATE syncs SET leased_until = $3 WHERE id = $1 AND owner = $2 AND state = 'running' RETURNING cancel_requested
"""
GIVE_BACK = "UPDATE syncs SET owner = NULL, leased_until = $3 WHERE id = $1 AND owner = $2 AND state = 'running'"
OWN = "SELECT * FROM syncs WHERE id = $1 AND owner = $2 AND state = 'running' FOR UPDATE"
KEEP_SOURCE = """
    INSERT INTO catalogue_sources (name, precedence) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET precedence = excluded.precedence
        WHERE catalogue_sources.precedence <> excluded.precedence
"""
PROGRESS = """
    UPDATE syncs SET cursor = $2, step = $3, done = $4, total = $5, titles_kept = titles_kept + $6,
        characters_kept = characters_kept + $7, titles_removed = titles_removed + $8, faults_total = faults_total + $9,
        faults = $10, leased_until = $11
    WHERE id = $1 RETURNING *
"""
SINCE = "SELECT max(created_at) FROM syncs WHERE source = $1 AND state = 'succeeded'"
BROUGHT = "SELECT EXISTS (SELECT FROM titles WHERE source = $1 AND sync_id = $2)"
DROP_NOT_BROUGHT = "DELETE FROM titles WHERE source = $1 AND sync_id IS DISTINCT FROM $2 RETURNING id"
IMPORTED = "UPDATE catalogue_sources SET imported_at = $2 WHERE name = $1"
OVER = """
    UPDATE syncs SET state = $2, error = $3, ended_at = $4, titles_removed = titles_removed + $5, owner = NULL,
        leased_until = NULL
    WHERE id = $1 RETURNING *
"""
DROP_FILE = "DELETE FROM sync_chunks WHERE sync_id = $1"

LEASE = timedelta(seconds=15)

# Characters of what is told of a fault.
PLACE_MAX = 200
SENTENCE_MAX = 500


class Fenced(Exception):
    """Another process works at the sync, or nobody has to any more."""


class Work:
    """`announce` makes the event of a sync that succeeded, `clock` gives the present in UTC.

    An owner that is not heard of for LEASE is taken for dead.
    """

    def __init__(self, pool: Pool, clock: Callable[[], datetime], announce: Callable[[Sync], Envelope]) -> None:
        self._pool = pool
        self._clock = clock
        self._announce = announce

    async def take(self, owner: UUID, working: Collection[UUID]) -> Sync | None:
        """A sync that nobody works at, now this owner's; `working` are those that it has not let go of yet."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(TAKE, owner, self._clock(), self._lease(), list(working))
        return sync_from(row) if row is not None else None

    async def renew(self, sync_id: UUID, owner: UUID) -> bool:
        """Keeps a sync for its owner; whether it is asked to end. Fenced when it is not the owner's any more."""
        async with connection(self._pool) as database:
            requested = await database.fetchval(RENEW, sync_id, owner, self._lease())
        if requested is None:
            raise Fenced
        return bool(requested)

    async def give_back(self, sync_id: UUID, owner: UUID) -> None:
        """Lets another process go on at once."""
        async with connection(self._pool) as database:
            await database.execute(GIVE_BACK, sync_id, owner, self._clock())

    async def since(self, sync: Sync) -> datetime | None:
        """When the last sync of this source that succeeded was asked for."""
        async with connection(self._pool) as database:
            moment: datetime | None = await database.fetchval(SINCE, sync.source)
            return moment

    async def keep(self, sync_id: UUID, owner: UUID, source: Source, batch: Batch) -> Sync:
        """Writes what a step brought, where to go on after it, and what was counted, all or nothing."""
        async with connection(self._pool) as database, database.transaction():
            sync = await _owned(database, sync_id, owner)
            await database.execute(entries.LOCK, timeout=BULK_SECONDS)
            await database.execute(KEEP_SOURCE, sync.source, source.precedence)
            written = await entries.write(database, {sync.source: batch.titles}, sync.id)
            moved = await entries.set_popularity(database, sync.source, batch.popularity)
            removed = await entries.drop(database, sync.source, batch.removed)
            told = [*((fault.place, fault.description) for fault in batch.faults), *written.faults]
            faults = [(printable(place, PLACE_MAX), printable(text, SENTENCE_MAX)) for place, text in told]
            return await only(
                database,
                PROGRESS,
                sync.id,
                cursor_of(sync, batch.cursor),
                batch.step,
                batch.done,
                batch.total,
                written.titles + moved,
                written.characters,
                removed,
                len(faults),
                json.dumps([*sync.faults, *faults][:FAULTS_KEPT_MAX]),
                self._lease(),
            )

    async def succeed(self, sync_id: UUID, owner: UUID, source: Source) -> Sync:
        """Ends a sync that brought everything: what a complete source has no more is removed, an index is wished for.

        SourceError when that would remove all there is.
        """
        async with connection(self._pool) as database, database.transaction():
            sync = await _owned(database, sync_id, owner)
            removed = 0
            if source.complete and sync.mode is Mode.FULL:
                if not await database.fetchval(BROUGHT, sync.source, sync.id):
                    raise SourceError("It brought no title that could be kept; what the catalogue had of it stays.")
                await database.execute(entries.LOCK, timeout=BULK_SECONDS)
                removed = len(await database.fetch(DROP_NOT_BROUGHT, sync.source, sync.id, timeout=BULK_SECONDS))
            over = await self._over(database, sync.id, State.SUCCEEDED, removed=removed)
            await database.execute(IMPORTED, sync.source, self._clock())
            await database.execute(DROP_FILE, sync.id, timeout=BULK_SECONDS)
            await database.execute(WISH, sync.id, self._clock())
            await append(database, [self._announce(over)])
        return over

    async def end(self, sync_id: UUID, owner: UUID, state: State, error: str = "") -> Sync:
        """Ends a sync early. What it brought stays and is worth an index."""
        async with connection(self._pool) as database, database.transaction():
            await _owned(database, sync_id, owner)
            over = await self._over(database, sync_id, state, printable(error, SENTENCE_MAX))
            if over.changed_anything:
                await database.execute(WISH, sync_id, self._clock())
        return over

    def _lease(self) -> datetime:
        return self._clock() + LEASE

    async def _over(
        self, database: PoolConnectionProxy, sync_id: UUID, state: State, error: str = "", removed: int = 0
    ) -> Sync:
        return await only(database, OVER, sync_id, state, error, self._clock(), removed)


async def _owned(database: PoolConnectionProxy, sync_id: UUID, owner: UUID) -> Sync:
    """The sync, which stays its owner's to the end of the transaction."""
    row = await database.fetchrow(OWN, sync_id, owner)
    if row is None:
        raise Fenced
    return sync_from(row)
