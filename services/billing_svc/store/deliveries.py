"""What providers sent: the inbox of what is to be worked on, and the history of what was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from runtime.errors import ResourceExhausted
from runtime.postgres import Pool, connection
from services.billing_svc.domain.delivery import DeliveryState, InboxEntry
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Delivery

# So many events of one buyer are read at once; nobody has as many.
HISTORY_MAX = 10_000

KEEP = """
    INSERT INTO deliveries (id, provider, event_id, event_type, event_time, subjects, body, receive_time, due_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
    ON CONFLICT (provider, event_id) DO NOTHING
"""

CLAIM = """
    UPDATE deliveries SET attempts = attempts + 1, due_time = $3
    WHERE id = ANY(ARRAY(
        SELECT id FROM deliveries
        WHERE state = 'pending' AND provider = $1 AND due_time <= $2
        ORDER BY due_time LIMIT $4
        FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, provider, event_id, event_type, event_time, subjects, body, receive_time, attempts, due_time
"""

# Whoever claimed it later has another lease, and so has a replay.
END = """
    UPDATE deliveries SET state = $3, detail = $4, end_time = $5
    WHERE id = $1 AND state = 'pending' AND due_time = $2
"""
LATER = """
    UPDATE deliveries SET due_time = $3, detail = $4, attempts = $5
    WHERE id = $1 AND state = 'pending' AND due_time = $2
"""

ENTRY_COLUMNS = "id, provider, event_id, event_type, state, detail, attempts, receive_time, due_time, end_time"

REPLAY = f"""
    UPDATE deliveries SET state = 'pending', attempts = 0, due_time = $2, end_time = NULL WHERE id = $1
    RETURNING {ENTRY_COLUMNS}
"""  # noqa: S608 (our own names)

PAGE = f"""
    SELECT {ENTRY_COLUMNS} FROM deliveries
    WHERE ($1::timestamptz IS NULL OR (receive_time, id) < ($1, $2::uuid))
        AND ($3::text IS NULL OR state = $3)
        AND ($4::text IS NULL OR provider = $4)
    ORDER BY receive_time DESC, id DESC LIMIT $5
"""  # noqa: S608

ABOUT = """
    SELECT event_id, event_type, event_time, body, subjects FROM deliveries
    WHERE provider = $1 AND subjects && $2::text[]
    ORDER BY event_time, event_id COLLATE "C" LIMIT $3
"""


@dataclass(frozen=True)
class Received:
    """A delivery on its way into the inbox."""

    id: UUID
    provider: Provider
    delivery: Delivery
    time: datetime


@dataclass(frozen=True)
class Claimed:
    """A delivery that this process works on until `lease`; afterwards another may. `attempts` counts this one."""

    id: UUID
    provider: Provider
    delivery: Delivery
    receive_time: datetime
    attempts: int
    lease: datetime


@dataclass(frozen=True)
class EntryFilter:
    """None is for all."""

    state: DeliveryState | None = None
    provider: Provider | None = None


class Deliveries:
    """Of all providers."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, received: Iterable[Received]) -> None:
        """Keeps all of them in one transaction, but for those that came before."""
        async with connection(self._pool) as database:
            await database.executemany(KEEP, [_values(one) for one in received])

    async def claim(self, provider: Provider, now: datetime, lease: timedelta, count_max: int) -> list[Claimed]:
        """Deliveries that are due and that nobody works on, the one that has waited longest first."""
        async with connection(self._pool) as database:
            rows = await database.fetch(CLAIM, provider.value, now, now + lease, count_max)
        claimed = [
            Claimed(row["id"], provider, _delivery(row), row["receive_time"], row["attempts"], row["due_time"])
            for row in rows
        ]
        return sorted(claimed, key=lambda one: (one.receive_time, one.id))

    async def end(self, one: Claimed, state: DeliveryState, detail: str, now: datetime) -> None:
        """Nobody works on it any more; nothing changes when the lease went to another meanwhile."""
        async with connection(self._pool) as database:
            await database.execute(END, one.id, one.lease, state.value, detail, now)

    async def later(self, one: Claimed, due: datetime, detail: str, attempts: int) -> None:
        """It is worked on again, after so many attempts; nothing changes when the lease went to another meanwhile."""
        async with connection(self._pool) as database:
            await database.execute(LATER, one.id, one.lease, due, detail, attempts)

    async def replay(self, delivery_id: UUID, now: datetime) -> InboxEntry | None:
        """It is worked on anew, however it stands; None when there is no such delivery."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(REPLAY, delivery_id, now)
        return _entry(row) if row else None

    async def page(self, wanted: EntryFilter, before: tuple[datetime, UUID] | None, count_max: int) -> list[InboxEntry]:
        """Deliveries that were received before that one, newest first."""
        time, delivery_id = before or (None, None)
        state = wanted.state.value if wanted.state else None
        provider = wanted.provider.value if wanted.provider else None
        async with connection(self._pool) as database:
            rows = await database.fetch(PAGE, time, delivery_id, state, provider, count_max)
        return [_entry(row) for row in rows]

    async def about(self, provider: Provider, subjects: Sequence[str]) -> list[Delivery]:
        """Every delivery that shares a subject, by event time, then by event id."""
        async with connection(self._pool) as database:
            rows = await database.fetch(ABOUT, provider.value, list(subjects), HISTORY_MAX + 1)
        if len(rows) > HISTORY_MAX:
            raise ResourceExhausted("More was delivered about one buyer than is read.", reason="HISTORY_TOO_LONG")
        return [_delivery(row) for row in rows]


def _values(one: Received) -> tuple[object, ...]:
    sent = one.delivery
    return (
        one.id,
        one.provider.value,
        sent.event_id,
        sent.event_type,
        sent.event_time,
        sent.subjects,
        sent.body,
        one.time,
    )


def _delivery(row: Record) -> Delivery:
    return Delivery(row["event_id"], row["event_type"], row["event_time"], row["body"], tuple(row["subjects"]))


def _entry(row: Record) -> InboxEntry:
    state = DeliveryState(row["state"])
    return InboxEntry(
        id=row["id"],
        provider=Provider(row["provider"]),
        event_id=row["event_id"],
        event_type=row["event_type"],
        state=state,
        detail=row["detail"],
        attempts=row["attempts"],
        receive_time=row["receive_time"],
        due_time=row["due_time"] if state is DeliveryState.PENDING else None,
        end_time=row["end_time"],
    )
