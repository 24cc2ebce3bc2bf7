"""Syncs as operators see them: begun, looked at, cancelled, resumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from asyncpg import UniqueViolationError
from asyncpg.pool import PoolConnectionProxy

from runtime.errors import Aborted, NotFound
from runtime.postgres import Pool, connection
from services.search_svc.domain.sync import Order, State, Sync, begun
from services.search_svc.store.entries import WISH
from services.search_svc.store.rows import cursor_of, only, sync_from

FULL_BEFORE = "SELECT EXISTS (SELECT FROM syncs WHERE source = $1 AND state = 'succeeded' AND mode = 'full')"
SYNC = "SELECT * FROM syncs WHERE id = $1"
LIVE = "SELECT id FROM syncs WHERE source = $1 AND state IN ('queued', 'running')"
# A second sync of this id, or of a source that has a live one, is none.
BEGIN = """
    INSERT INTO syncs (id, source, mode, titles_max, state, cursor, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT DO NOTHING RETURNING *
"""
CHANGE = """
    UPDATE syncs SET state = $2, cancel_requested = $3, error = $4, ended_at = $5 WHERE id = $1 RETURNING *
"""
PAGE = """
    SELECT * FROM syncs
    WHERE $1::timestamptz IS NULL OR created_at < $1 OR (created_at = $1 AND id > $2::uuid)
    ORDER BY created_at DESC, id LIMIT $3
"""


class Syncs:
    """`clock` gives the present in UTC."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime]) -> None:
        self._pool = pool
        self._clock = clock

    async def begin(self, order: Order) -> Sync:
        """Queues a sync, or gives the one that an earlier call with this order queued.

        ALREADY_EXISTS when that call asked for something else; ABORTED while another sync of the source is live.
        """
        while True:
            async with connection(self._pool) as database:
                sync = await insert(database, order, self._clock(), State.QUEUED)
                if sync is not None:
                    return sync
                row = await database.fetchrow(SYNC, order.id)
                if row is not None:
                    return sync_from(row).answers(order)
                await refuse_second(database, order.source)

    async def sync(self, sync_id: UUID) -> Sync:
        """NOT_FOUND when there is none."""
        async with connection(self._pool) as database:
            return await _found(database, sync_id, SYNC)

    async def page(self, before: tuple[datetime, UUID] | None, count: int) -> list[Sync]:
        """At most `count` syncs, newest first, of those begun before `before`."""
        moment, sync_id = before or (None, None)
        async with connection(self._pool) as database:
            return [sync_from(row) for row in await database.fetch(PAGE, moment, sync_id, count)]

    async def cancel(self, sync_id: UUID) -> Sync:
        """Asks a live sync to end; one that nobody works at ends with this."""
        async with connection(self._pool) as database, database.transaction():
            sync = await _found(database, sync_id, f"{SYNC} FOR UPDATE")
            cancelled = await _change(database, sync, sync.cancelled(self._clock()))
            if cancelled.state is not sync.state and cancelled.changed_anything:
                await database.execute(WISH, sync_id, self._clock())
            return cancelled

    async def resume(self, sync_id: UUID) -> Sync:
        """Queues a sync again that is over; ABORTED while another one of its source is live."""
        async with connection(self._pool) as database:
            try:
                async with database.transaction():
                    sync = await _found(database, sync_id, f"{SYNC} FOR UPDATE")
                    return await _change(database, sync, sync.resumed())
            except UniqueViolationError as error:
                raise _running(await database.fetchval(LIVE, sync.source)) from error


async def insert(database: PoolConnectionProxy, order: Order, now: datetime, state: State) -> Sync | None:
    """The sync that an order begins; None when its id is taken, or its source, by a live one, if this is to be live."""
    sync = begun(order, now, full_before=await database.fetchval(FULL_BEFORE, order.source))
    cursor = cursor_of(sync, {})
    row = await database.fetchrow(BEGIN, sync.id, sync.source, sync.mode, sync.titles_max, state, cursor, now)
    return sync_from(row) if row is not None else None


async def refuse_second(database: PoolConnectionProxy, source: str) -> None:
    """ABORTED while a sync of the source is live."""
    live = await database.fetchval(LIVE, source)
    if live is not None:
        raise _running(live)


def _running(live: UUID | None) -> Aborted:
    return Aborted(
        "Another sync of this source is not over; wait for it, or cancel it.",
        reason="SYNC_RUNNING",
        metadata={"sync": f"syncs/{live}"} if live is not None else {},
    )


async def _found(database: PoolConnectionProxy, sync_id: UUID, query: str) -> Sync:
    row = await database.fetchrow(query, sync_id)
    if row is None:
        raise NotFound("There is no such sync.", reason="SYNC_NOT_FOUND", metadata={"sync": f"syncs/{sync_id}"})
    return sync_from(row)


async def _change(database: PoolConnectionProxy, sync: Sync, changed: Sync) -> Sync:
    if changed == sync:
        return sync
    arguments = (changed.state, changed.cancel_requested, changed.error, changed.ended)
    return await only(database, CHANGE, sync.id, *arguments)
