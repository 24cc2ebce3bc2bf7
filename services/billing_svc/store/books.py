"""The books of some users, opened in one transaction: agreements, payments, what they gave and what follows.

Whoever opens a user's books has them alone until the transaction ends. What comes from a provider carries the number of
the reading that it comes from, the fence: a reading that began earlier never replaces one that began later.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import Aborted
from runtime.events.schema import append
from runtime.postgres import Pool, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.effect import Effect
from services.billing_svc.domain.payment import Line, Payment
from services.billing_svc.domain.plan import Provider
from services.billing_svc.domain.subscription import Subscription
from services.billing_svc.store import rows, statements
from services.billing_svc.store.effects import insert

Key = tuple[Provider, str]

# An agreement that goes to another user while its books are being opened is looked up again.
OPENINGS_MAX = 5


@dataclass(frozen=True)
class Held:
    """What was given for a line: the grant in quota_svc, and what of it was taken back, in how many steps."""

    grant: UUID | None = None
    reclaimed: int = 0
    adjustments: int = 0


@dataclass(frozen=True)
class Kept:
    """A subscription as it was kept last, and its revision."""

    subscription: Subscription
    revision: int


class Books:
    """Every user's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fence(self) -> int:
        """The number of a reading that is about to begin."""
        async with connection(self._pool) as database:
            number: int = await database.fetchval(statements.FENCE)
        return number

    async def agreements(self, user: str) -> tuple[Agreement, ...]:
        """All that a user ever agreed on, without opening the books."""
        async with connection(self._pool) as database:
            found = await database.fetch(statements.AGREEMENTS, user)
        return tuple(rows.agreement(row) for row in found)

    async def due(self, now: datetime, users_max: int) -> list[str]:
        """Users for whom time alone has changed something."""
        async with connection(self._pool) as database:
            found = await database.fetch(statements.DUE, now, users_max)
        return [row["user_id"] for row in found]

    async def look_later(self, user: str, due: datetime) -> None:
        """Time alone is taken to change nothing for a user until then."""
        async with connection(self._pool) as database:
            await database.execute(statements.LOOK_LATER, user, due)

    @asynccontextmanager
    async def opened(self, users: Iterable[str], bought: Iterable[Key] = ()) -> AsyncIterator[Book]:
        """The books of these users, and of those whose these agreements and payments are so far. Closing commits."""
        keys = list(bought)
        wanted = set(users)
        for _ in range(OPENINGS_MAX):
            async with connection(self._pool) as database, database.transaction():
                wanted |= await _owners(database, keys)
                await database.execute(statements.LOCK, sorted(wanted))
                if wanted >= await _owners(database, keys):
                    yield Book(database, frozenset(wanted))
                    return
        raise Aborted("The subscription is changing hands just now. Try again.", reason="BOOKS_BUSY")


class Book:
    """Some users' books, open."""

    def __init__(self, database: PoolConnectionProxy, users: frozenset[str]) -> None:
        self.database = database
        self.users = users

    async def subscription(self, user: str, agreements: Sequence[Agreement]) -> Kept:
        """As it was kept last; the free plan for a user who has none. `agreements` are the user's before any change."""
        row = await self.database.fetchrow(statements.SUBSCRIPTION, user)
        if row is None:
            return Kept(Subscription(user), 0)
        counts = [one for one in agreements if (one.provider.value, one.id) == (row["provider"], row["agreement"])]
        kept = Subscription(user, row["plan"], State(row["state"]), counts[0] if counts else None)
        return Kept(kept, row["revision"])

    async def keep_subscription(self, one: Subscription, revision: int, due: datetime | None) -> None:
        provider, agreement = one.key or (None, None)
        values = (one.user, one.plan, one.state.value, provider, agreement, revision, due)
        await self.database.execute(statements.KEEP_SUBSCRIPTION, *values)

    async def agreements(self, user: str) -> tuple[Agreement, ...]:
        """All that the user ever agreed on."""
        return tuple(rows.agreement(row) for row in await self.database.fetch(statements.AGREEMENTS, user))

    async def keep_agreement(self, one: Agreement, fence: int) -> bool:
        """False when a later reading is kept already. What payments say of it stays."""
        return bool(await self.database.fetchval(statements.KEEP_AGREEMENT, *rows.agreement_values(one), fence))

    async def revoke(self, provider: Provider, agreement: str) -> None:
        """Makes the agreement's `revoked_until` what its payments say."""
        await self.database.execute(statements.REVOKE, provider.value, agreement)

    async def payment(self, provider: Provider, payment_id: str) -> Payment | None:
        row = await self.database.fetchrow(statements.PAYMENT, provider.value, payment_id)
        if row is None:
            return None
        return rows.payment(row, await self.database.fetch(statements.LINES, provider.value, payment_id))

    async def keep_payment(self, one: Payment, fence: int) -> Payment | None:
        """The payment as it is kept from now on; None when a later reading is kept already.

        A line that is kept stays as it is, and the payment stays with the user that it was charged to.
        """
        if not await self.database.fetchval(statements.KEEP_PAYMENT, *rows.payment_values(one), fence):
            return None
        for place, line in enumerate(one.lines):
            await self.database.execute(statements.KEEP_LINE, *_line_values(one, line, place))
        return await self.payment(one.provider, one.id)

    async def held(self, payment: Payment) -> Mapping[str, Held]:
        """What was given for each line, by the line's id."""
        found = await self.database.fetch(statements.LINES, payment.provider.value, payment.id)
        return {row["id"]: Held(row["grant_id"], row["reclaimed"], row["adjustments"]) for row in found}

    async def hold(self, payment: Payment, line: Line, held: Held) -> None:
        values = (payment.provider.value, payment.id, line.id, held.grant, held.reclaimed, held.adjustments)
        await self.database.execute(statements.HOLD, *values)

    async def effect(self, user: str, effect: Effect, now: datetime) -> None:
        """Something that quota_svc is to be told, after all that was said before for this user."""
        await insert(self.database, user, effect, now)

    async def tell(self, events: Iterable[Envelope]) -> None:
        """What the other services are told; nudge the relay after the books are closed."""
        if told := list(events):
            await append(self.database, told)


async def _owners(database: PoolConnectionProxy, keys: list[Key]) -> set[str]:
    if not keys:
        return set()
    providers, ids = [provider.value for provider, _ in keys], [name for _, name in keys]
    return {row["user_id"] for row in await database.fetch(statements.OWNERS, providers, ids)}


def _line_values(payment: Payment, line: Line, place: int) -> tuple[object, ...]:
    return (
        payment.provider.value,
        payment.id,
        line.id,
        place,
        line.article,
        line.cents,
        line.interval.value if line.interval else None,
        line.start,
        line.end,
        line.proration,
        line.credits,
    )
