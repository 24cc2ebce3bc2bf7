"""Requests that change something, by the ids that their callers gave them, and what was answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from runtime.errors import Aborted, AlreadyExists
from runtime.postgres import Pool, connection

# Longer than any of these requests may take: whoever is still at work then has gone.
LEASE = timedelta(seconds=60)
KEPT = timedelta(days=14)

# A request that failed, or whose process died, is taken up again by the same request.
BEGIN = """
    INSERT INTO requests AS kept (user_id, request_id, digest, lease_time) VALUES ($1, $2, $3, $5)
    ON CONFLICT (user_id, request_id) DO UPDATE SET lease_time = excluded.lease_time
        WHERE kept.answer IS NULL AND kept.lease_time <= $4 AND kept.digest = excluded.digest
    RETURNING xmax <> 0 AS again
"""
READ = "SELECT digest, answer FROM requests WHERE user_id = $1 AND request_id = $2"
FINISH = "UPDATE requests SET answer = $3 WHERE user_id = $1 AND request_id = $2 AND answer IS NULL"
LEAVE = "UPDATE requests SET lease_time = $3 WHERE user_id = $1 AND request_id = $2 AND answer IS NULL"
FORGET = """
    DELETE FROM requests WHERE (user_id, request_id) IN (
        SELECT user_id, request_id FROM requests WHERE lease_time < $1 ORDER BY lease_time LIMIT 20
        FOR UPDATE SKIP LOCKED
    )
"""


@dataclass(frozen=True)
class Asked:
    """A request: whose, its id, and what stands in it, as a digest."""

    user: str
    id: UUID
    digest: bytes


@dataclass(frozen=True)
class Begun:
    """`answer` is what was answered before, if it was; otherwise the request is this caller's to run.

    `again` is true when it began before and did not end well.
    """

    answer: bytes | None = None
    again: bool = False


class Requests:
    """Everybody's, for as long as a retry may come."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, asked: Asked, now: datetime) -> Begun:
        """AlreadyExists (REQUEST_ID_REUSED) for another request of the same id, Aborted (REQUEST_RUNNING) while it is
        at work."""
        async with connection(self._pool) as database:
            await database.execute(FORGET, now - KEPT)
            again = await database.fetchval(BEGIN, asked.user, asked.id, asked.digest, now, now + LEASE)
            if again is not None:
                return Begun(again=again)
            row = await database.fetchrow(READ, asked.user, asked.id)
        if row is not None and row["digest"] != asked.digest:
            raise AlreadyExists("This request_id was used for another request.", reason="REQUEST_ID_REUSED")
        if row is None or row["answer"] is None:
            raise Aborted("The same request is at work. Ask again for its answer.", reason="REQUEST_RUNNING")
        return Begun(row["answer"])

    async def finish(self, asked: Asked, answer: bytes) -> None:
        """It went well; the same request gets this answer from now on."""
        async with connection(self._pool) as database:
            await database.execute(FINISH, asked.user, asked.id, answer)

    async def leave(self, asked: Asked, now: datetime) -> None:
        """It did not go well: the same request may try again at once."""
        async with connection(self._pool) as database:
            await database.execute(LEAVE, asked.user, asked.id, now)
