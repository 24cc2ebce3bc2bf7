"""Uploaded files: kept whole or not at all, until the sync that reads them has succeeded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

from asyncpg import UniqueViolationError
from asyncpg.pool import PoolConnectionProxy

from runtime.errors import InvalidArgument, ResourceExhausted, Violation
from runtime.postgres import Pool, connection
from services.search_svc.domain.sync import Order, State, Sync
from services.search_svc.sources.source import SourceError
from services.search_svc.store.rows import only
from services.search_svc.store.syncs import SYNC, insert, refuse_second

MEBIBYTE = 2**20
BYTES_MAX = 256 * MEBIBYTE
# Each holds a connection as long as it takes.
UPLOADS_MAX = 2
# As a row; it is sent in smaller ones.
PIECE_BYTES = MEBIBYTE

KEEP_PIECE = "INSERT INTO sync_chunks (sync_id, number, content) VALUES ($1, $2, $3)"
PIECE = "SELECT content FROM sync_chunks WHERE sync_id = $1 AND number = $2"
QUEUE = "UPDATE syncs SET state = 'queued' WHERE id = $1 RETURNING *"
# A new file takes the place of those that earlier syncs of its collection did not get through.
DROP_EARLIER = """
    DELETE FROM sync_chunks USING syncs
    WHERE syncs.id = sync_id AND source = $1 AND sync_id <> $2 AND state NOT IN ('queued', 'running')
"""


class Uploads:
    """`clock` gives the present in UTC, `bytes_max` is the size of a file as it is sent."""

    def __init__(self, pool: Pool, clock: Callable[[], datetime], *, bytes_max: int = BYTES_MAX) -> None:
        self._pool = pool
        self._clock = clock
        self._bytes_max = bytes_max
        self._room = asyncio.Semaphore(UPLOADS_MAX)

    async def begin(self, order: Order, chunks: AsyncIterator[bytes]) -> Sync:
        """Keeps a file and queues its sync, in one transaction; gives the sync that was begun with this order before.

        ALREADY_EXISTS when that was another order; ABORTED while another sync of the source is live;
        RESOURCE_EXHAUSTED for too large a file, INVALID_ARGUMENT for an empty one.
        """
        async with self._room, connection(self._pool) as database, database.transaction():
            # It is over until the file is there, so that nobody waits for it and nobody takes it.
            sync = await insert(database, order, self._clock(), State.CANCELLED)
            if sync is None:
                return (await only(database, SYNC, order.id)).answers(order)
            await refuse_second(database, order.source)
            if not await self._keep(database, order.id, chunks):
                empty = Violation("chunk", "the file is empty")
                raise InvalidArgument("chunk: the file is empty", violations=[empty])
            await database.execute(DROP_EARLIER, order.source, order.id)
            return await _queued(database, order)

    async def chunks(self, sync_id: UUID) -> AsyncIterator[bytes]:
        """The file of a sync from its beginning. SourceError when it is not kept any more."""
        number = 0
        while True:
            async with connection(self._pool) as database:
                content = await database.fetchval(PIECE, sync_id, number)
            if content is None and not number:
                raise SourceError("The file is not kept any more, a newer one took its place. Upload it again.")
            if content is None:
                return
            yield content
            number += 1

    async def _keep(self, database: PoolConnectionProxy, sync_id: UUID, chunks: AsyncIterator[bytes]) -> int:
        """Keeps a file; how many bytes it has."""
        size, number, piece = 0, 0, bytearray()
        async for chunk in chunks:
            size += len(chunk)
            if size > self._bytes_max:
                raise _too_large(self._bytes_max)
            piece += chunk
            if len(piece) >= PIECE_BYTES:
                await database.execute(KEEP_PIECE, sync_id, number, bytes(piece))
                number += 1
                piece.clear()
        if piece:
            await database.execute(KEEP_PIECE, sync_id, number, bytes(piece))
        return size


def _too_large(bytes_max: int) -> ResourceExhausted:
    return ResourceExhausted(
        f"The file has more than {bytes_max} bytes; compress it, or divide it into collections.",
        reason="FILE_TOO_LARGE",
        metadata={"bytes_max": str(bytes_max)},
    )


async def _queued(database: PoolConnectionProxy, order: Order) -> Sync:
    try:
        async with database.transaction():
            return await only(database, QUEUE, order.id)
    except UniqueViolationError:
        # Another one began while the file was on its way.
        await refuse_second(database, order.source)
        return await _queued(database, order)
