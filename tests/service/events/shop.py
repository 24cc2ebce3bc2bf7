"""A service that tells events and handles them, in a few lines."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from runtime.events.envelope import ENVELOPE, envelope, opened
from runtime.events.schema import append
from scenemesh.events.v1.envelope_pb2 import Envelope
from scenemesh.events.v1.quota_pb2 import QuotaUpdated

SCHEMA = "shop"
STREAM = "events.quota"
DEAD = "events.quota.dead"
TYPE = "quota.updated"
WAIT_SECONDS = 90

EFFECTS = """
    CREATE TABLE effects (
        number bigint GENERATED ALWAYS AS IDENTITY, consumer text, event_id text, subject text, remaining bigint
    )
"""


def event(remaining: int, subject: str = "users/alice", event_type: str = TYPE) -> Envelope:
    """An event that says `remaining`."""
    data, time = QuotaUpdated(meter="chat", remaining=remaining), datetime(2026, 11, 21, 8, tzinfo=UTC)
    return envelope(event_type, subject, data, time, uuid4(), "request-1")


def remaining(event: Envelope) -> int:
    data = QuotaUpdated()
    event.data.Unpack(data)
    return data.remaining


@dataclass
class Shop:
    """`name` is what its effects are noted under."""

    pool: "asyncpg.Pool[asyncpg.Record]"
    name: str = "shop"

    async def tell(self, *events: Envelope) -> None:
        """Commits the events."""
        async with self.pool.acquire() as connection, connection.transaction():
            await append(connection, events)

    async def handle(self, connection: PoolConnectionProxy, event: Envelope) -> None:
        """The effect of an event."""
        note = "INSERT INTO effects (consumer, event_id, subject, remaining) VALUES ($1, $2, $3, $4)"
        await connection.execute(note, self.name, event.id, event.subject, remaining(event))

    async def effects(self, subject: str = "users/alice") -> list[int]:
        """What the events of a subject said, in the order in which they were handled."""
        rows = await self.pool.fetch("SELECT remaining FROM effects WHERE subject = $1 ORDER BY number", subject)
        return [row["remaining"] for row in rows]


async def put(redis: Redis, *events: Envelope) -> None:
    """Adds events to their stream as a relay does."""
    for one in events:
        fields: dict[Any, Any] = {ENVELOPE: one.SerializeToString()}
        await redis.xadd(STREAM, fields)


async def published(redis: Redis) -> list[Envelope]:
    """What stands in the stream."""
    entries: Any = await redis.xrange(STREAM)
    return [opened(fields[ENVELOPE]) for _, fields in entries]


async def pending(redis: Redis, group: str) -> int:
    """How many entries the group has read and not finished; -1 before there is a group."""
    try:
        summary: Any = await redis.xpending(STREAM, group)
    except ResponseError:
        return -1
    return int(summary["pending"])


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Runs the works beside the block and kills them at its end, or when what it gives is called."""
    tasks = [asyncio.create_task(work) for work in works]

    async def kill() -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=WAIT_SECONDS)

    try:
        yield kill
    finally:
        await kill()
    # A work ends because it is killed, and never by itself.
    assert [task for task in tasks if not task.done() or (not task.cancelled() and task.exception())] == []


async def comes(found: Callable[[], Awaitable[Any]], expected: Any) -> None:
    """Waits until `found` gives what is expected."""
    last: Any = None
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while (last := await found()) != expected:
                await asyncio.sleep(0.01)
    except TimeoutError:
        assert last == expected
        raise
