"""What is kept, read for comparing it: in pages and by id, without opening anybody's books."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar
from uuid import UUID

from asyncpg import PostgresError, Record

from runtime.errors import Unavailable
from runtime.postgres import AWAY, Pool, connection
from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.drift import Account, Given, Stuck
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import Provider
from services.billing_svc.store import rows
from services.billing_svc.store.rows import AGREEMENT_COLUMNS, LINE_COLUMNS, PAYMENT_COLUMNS

# The transaction has no snapshot between two statements, so it keeps nothing from being cleaned up.
ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/alone/' || $1, 0))"

AGREEMENTS = f"SELECT {AGREEMENT_COLUMNS}, fence FROM agreements WHERE provider = $1 AND id = ANY($2::text[])"  # noqa: S608 (our own names)
PAYMENTS = f"SELECT {PAYMENT_COLUMNS}, fence FROM payments WHERE provider = $1 AND id = ANY($2::text[])"  # noqa: S608
LINES = f"""
    SELECT {LINE_COLUMNS} FROM payment_lines WHERE provider = $1 AND payment = ANY($2::text[]) ORDER BY place, id
"""  # noqa: S608

ALIVE = """
    SELECT id FROM agreements
    WHERE provider = $1 AND ($2::text IS NULL OR user_id = $2) AND state <> 'expired' AND id > $3
    ORDER BY id LIMIT $4
"""

PENDING = """
    SELECT DISTINCT subject FROM deliveries, unnest(subjects) AS subject
    WHERE state = 'pending' AND provider = $1 AND receive_time > $2 AND subjects && $3::text[]
"""

ACCOUNTS = """
    SELECT user_id, plan,
        NOT EXISTS (SELECT FROM effects WHERE effects.user_id = kept.user_id AND kind = 'plan') AS told
    FROM subscriptions AS kept
    WHERE ($1::text IS NULL OR user_id = $1) AND user_id > $2
    ORDER BY user_id LIMIT $3
"""

GIVEN = """
    SELECT payment.user_id, line.provider, line.payment, line.id, line.grant_id, line.credits, line.reclaimed,
        line.adjustments, payment.disputed, payment.create_time,
        NOT EXISTS (
            SELECT FROM effects WHERE effects.user_id = payment.user_id
                AND (effects.id = line.grant_id OR content ->> 'grant' = line.grant_id::text)
        ) AS told
    FROM payments AS payment
    JOIN payment_lines AS line ON line.provider = payment.provider AND line.payment = payment.id
    WHERE payment.user_id = $1 AND payment.create_time >= $2 AND line.grant_id IS NOT NULL
    ORDER BY payment.create_time, line.provider, line.payment, line.id
"""

STUCK = """
    SELECT user_id, number, id, kind, attempts, refused FROM effects
    WHERE ($1::text IS NULL OR user_id = $1) AND (refused IS NOT NULL OR create_time < $2)
        AND (user_id, number) > ($3, $4) AND number <= $5
    ORDER BY user_id, number LIMIT $6
"""
LAST_EFFECT = "SELECT coalesce(max(number), 0) FROM effects"
# A plan that was refused may be an older one than the last that was taken.
FORGET_PLANS = "DELETE FROM effects WHERE user_id = $1 AND kind = 'plan' AND refused IS NOT NULL"
RETRY = "UPDATE effects SET refused = NULL, attempts = 0, due_time = $2 WHERE user_id = $1"
LEFT = "SELECT id, refused IS NULL AND due_time <= $2 AS due FROM effects WHERE id = ANY($1::uuid[])"


One = TypeVar("One")


@dataclass(frozen=True)
class Kept(Generic[One]):
    """What is kept, by id; `newer` are the ids of what comes from a reading after the fence that was asked about."""

    kept: Mapping[str, One]
    newer: frozenset[str]


class Audit:
    """Everybody's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def alone(self, work: str) -> AsyncIterator[Callable[[], Awaitable[None]] | None]:
        """A work that one process at a time does; None when another one does it.

        What it gives is to be called now and then: Unavailable when the database is lost, and the work with it.
        """
        async with connection(self._pool) as database, database.transaction():
            if not await database.fetchval(ALONE, work):
                yield None
                return

            async def still() -> None:
                try:
                    await database.execute("SELECT 1")
                except (PostgresError, *AWAY) as error:
                    raise Unavailable("The database was lost.", reason="DATABASE_UNAVAILABLE") from error

            yield still

    async def agreements(self, provider: Provider, ids: Collection[str], fence: int) -> Kept[Agreement]:
        """Those of these ids that are kept."""
        async with connection(self._pool) as database:
            found = await database.fetch(AGREEMENTS, provider.value, list(ids)) if ids else []
        return Kept({row["id"]: rows.agreement(row) for row in found}, _newer(found, fence))

    async def payments(self, provider: Provider, ids: Collection[str], fence: int) -> Kept[Payment]:
        """Those of these ids that are kept, with their lines."""
        async with connection(self._pool) as database:
            found = await database.fetch(PAYMENTS, provider.value, list(ids)) if ids else []
            lines: dict[str, list[Record]] = {row["id"]: [] for row in found}
            for line in await database.fetch(LINES, provider.value, list(lines)) if lines else []:
                lines[line["payment"]].append(line)
        return Kept({row["id"]: rows.payment(row, lines[row["id"]]) for row in found}, _newer(found, fence))

    async def alive(self, provider: Provider, user: str | None, after: str, count_max: int) -> list[str]:
        """The next ids of agreements that have not expired, in order, after that one."""
        async with connection(self._pool) as database:
            return [row["id"] for row in await database.fetch(ALIVE, provider.value, user, after, count_max)]

    async def pending(self, provider: Provider, subjects: Collection[str], since: datetime) -> set[str]:
        """The subjects of deliveries since then that share one of these and still wait to be worked on."""
        async with connection(self._pool) as database:
            found = await database.fetch(PENDING, provider.value, since, list(subjects))
        return {row["subject"] for row in found}

    async def accounts(self, user: str | None, after: str, count_max: int) -> list[Account]:
        """The next users that ever had a subscription, by name, after that one."""
        async with connection(self._pool) as database:
            found = await database.fetch(ACCOUNTS, user, after, count_max)
        return [Account(row["user_id"], row["plan"], row["told"]) for row in found]

    async def given(self, user: str, since: datetime) -> list[Given]:
        """What a user's payments since then gave."""
        async with connection(self._pool) as database:
            return [_given(row) for row in await database.fetch(GIVEN, user, since)]

    async def last_effect(self) -> int:
        """The highest number of an effect that waits or was refused."""
        async with connection(self._pool) as database:
            number: int = await database.fetchval(LAST_EFFECT)
        return number

    async def stuck(
        self, user: str | None, before: datetime, after: tuple[str, int], number_max: int, count_max: int
    ) -> Sequence[Stuck]:
        """The next effects that were refused, or have waited since before then, by user and number."""
        async with connection(self._pool) as database:
            found = await database.fetch(STUCK, user, before, *after, number_max, count_max)
        return [
            Stuck(row["user_id"], row["number"], row["id"], row["kind"], row["attempts"], row["refused"])
            for row in found
        ]

    async def retry(self, user: str, now: datetime) -> None:
        """Makes a user's effects due, those that were refused, too: but for plans, of which the newest counts."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute(FORGET_PLANS, user)
            await database.execute(RETRY, user, now)

    async def untold(self, effects: Collection[UUID], now: datetime) -> dict[UUID, bool]:
        """Those of these effects that quota_svc has not acknowledged, and whether each is about to be told."""
        async with connection(self._pool) as database:
            return {row["id"]: row["due"] for row in await database.fetch(LEFT, list(effects), now)}


def _given(row: Record) -> Given:
    return Given(
        user=row["user_id"],
        provider=Provider(row["provider"]),
        payment=row["payment"],
        line=row["id"],
        grant=row["grant_id"],
        credits=row["credits"],
        reclaimed=row["reclaimed"],
        adjustments=row["adjustments"],
        disputed=row["disputed"],
        told=row["told"],
    )


def _newer(found: Sequence[Record], fence: int) -> frozenset[str]:
    return frozenset(row["id"] for row in found if row["fence"] > fence)
