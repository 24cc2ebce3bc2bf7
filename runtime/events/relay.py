"""From the outbox to the streams.

Every replica has a relay, and one at a time publishes: a lock in the database lets it, so that order is kept. Rows
are deleted in the transaction that holds the lock, after Redis has them. A crash between the two publishes them again,
under the same event ids. There is no cursor that could pass over a row whose transaction commits late.
"""

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg
import structlog
from redis.asyncio import Redis

from runtime.events.envelope import ENVELOPE, stream
from runtime.events.outage import FAULTS, Outage
from runtime.postgres import connection

log = structlog.get_logger()

BATCH_ROWS = 500
POLL_SECONDS = 1.0
# When another replica publishes: it may have looked before our own commit.
SECOND_LOOK_SECONDS = 0.05

# About so many events stay in a stream for groups that are behind. Each takes some 300 bytes of a Redis that refuses
# leases and live logs, too, when it is full.
STREAM_ENTRIES_MAX = 200_000

LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/outbox', 0))"
READ = "SELECT seq, topic, payload FROM outbox ORDER BY seq LIMIT $1"
DELETE = "DELETE FROM outbox WHERE seq = ANY($1::bigint[])"


class Relay:
    """Publishes the outbox of the schema that the pool's connections see."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        redis: Redis,
        *,
        poll_seconds: float = POLL_SECONDS,
        stream_entries_max: int = STREAM_ENTRIES_MAX,
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._poll_seconds = poll_seconds
        self._stream_entries_max = stream_entries_max
        self._nudged = asyncio.Event()
        self._outage = Outage("the outbox is not published")

    def nudge(self) -> None:
        """Says that the outbox has something, so that nobody waits for the next poll. Call it after the commit."""
        self._nudged.set()

    async def run(self) -> None:
        """Publishes until cancelled. An outage of Redis or Postgres delays, and loses nothing."""
        while True:
            self._nudged.clear()
            try:
                pause_seconds = await self._publish()
            except FAULTS as error:
                await self._outage.wait(error)
                continue
            except Exception as error:
                # Out of here it would end the process.
                log.exception("defect in publishing the outbox")
                await self._outage.wait(error)
                continue
            self._outage.over()
            await self._wait(pause_seconds)

    async def _wait(self, seconds: float) -> None:
        """Waits for a nudge, at most so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()

    async def _publish(self) -> float:
        """Publishes one batch; gives how many seconds the next one can wait."""
        async with connection(self._pool) as database, database.transaction():
            if not await database.fetchval(LOCK):
                return SECOND_LOOK_SECONDS
            rows = await database.fetch(READ, BATCH_ROWS)
            if not rows:
                return self._poll_seconds
            await self._add(rows)
            await database.execute(DELETE, [row["seq"] for row in rows])
        return 0.0

    async def _add(self, rows: list[asyncpg.Record]) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            for row in rows:
                fields: dict[Any, Any] = {ENVELOPE: row["payload"]}
                pipeline.xadd(stream(row["topic"]), fields, maxlen=self._stream_entries_max, approximate=True)
            await pipeline.execute()
