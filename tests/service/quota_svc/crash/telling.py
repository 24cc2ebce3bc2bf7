"""Whether the other services were told of every change: in order, at least once, and of nothing else."""

from typing import Any

import asyncpg
from redis.asyncio import Redis

from runtime.events.envelope import ENVELOPE, opened, stream
from scenemesh.events.v1.quota_pb2 import QuotaUpdated

# The newest entry that a transaction made on each meter that it moved: a row's xmin is its transaction.
CHANGES = "SELECT user_id, meter, max(number) AS number FROM entries GROUP BY user_id, meter, xmin"

Change = tuple[str, str, int]


async def changes(connection: "asyncpg.Connection[asyncpg.Record]") -> set[Change]:
    """Every transaction's newest entry on each meter of each user: what must have been told."""
    return {(row["user_id"], row["meter"], row["number"]) for row in await connection.fetch(CHANGES)}


async def told(redis: Redis) -> list[Change]:
    """What `quota.updated` told, in order; an event that came again is told once."""
    seen: dict[str, Change] = {}
    entries: Any = await redis.xrange(stream("quota"))
    for _, fields in entries:
        event = opened(fields[ENVELOPE])
        updated = QuotaUpdated()
        if event.type == "quota.updated" and event.data.Unpack(updated) and updated.entry:
            user, number = event.subject.removeprefix("users/"), int(updated.entry.rpartition("/")[2])
            seen.setdefault(event.id, (user, updated.meter, number))
    return list(seen.values())


def out_of_order(changes: list[Change]) -> list[Change]:
    """Those that were told after a later one of the same user and meter."""
    newest: dict[tuple[str, str], int] = {}
    late = []
    for user, meter, number in changes:
        if number <= newest.get((user, meter), 0):
            late.append((user, meter, number))
        newest[user, meter] = max(number, newest.get((user, meter), 0))
    return late
