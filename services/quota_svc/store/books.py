"""One user's part of the ledger inside a transaction that holds the user's account locked."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import NotFound
from services.quota_svc.domain.entry import Entry, Movement
from services.quota_svc.domain.hold import Hold
from services.quota_svc.domain.meter import Figures
from services.quota_svc.domain.plan import Window
from services.quota_svc.store import rows
from services.quota_svc.store.figures import figures

ADD_HOLD = """
    INSERT INTO holds (
        user_id, id, request_id, meter, amount, from_allowance, from_grants,
        state, settled_amount, create_time, expire_time
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""

# The account's lock makes the highest number this transaction's own to count on from.
ADD_ENTRY = """
    INSERT INTO entries (
        user_id, number, meter, amount, kind, hold,
        usage_resource, usage_model, usage_input_tokens, usage_output_tokens,
        request_id, reserve_time, create_time
    )
    SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
    FROM entries WHERE user_id = $1
    RETURNING number
"""


class Books:
    """Nobody else changes this user's holds and entries while these books are open."""

    def __init__(self, database: PoolConnectionProxy, user: str) -> None:
        self._database = database
        self._user = user

    async def hold(self, hold_id: UUID) -> Hold:
        """A hold by its id; NOT_FOUND when there is none."""
        row = await self._database.fetchrow("SELECT * FROM holds WHERE user_id = $1 AND id = $2", self._user, hold_id)
        if row is None:
            raise NotFound("There is no such hold.", reason="HOLD_NOT_FOUND")
        return rows.hold(row)

    async def hold_of_request(self, request_id: UUID) -> Hold | None:
        """The hold that an earlier request took."""
        query = "SELECT * FROM holds WHERE user_id = $1 AND request_id = $2"
        row = await self._database.fetchrow(query, self._user, request_id)
        return rows.hold(row) if row is not None else None

    async def entry_of_request(self, request_id: UUID) -> Entry | None:
        """The entry that an earlier request made."""
        query = "SELECT * FROM entries WHERE user_id = $1 AND request_id = $2"
        row = await self._database.fetchrow(query, self._user, request_id)
        return rows.entry(row) if row is not None else None

    async def figures(self, meter: str, window: Window, now: datetime) -> Figures:
        """The figures of one meter at `now`, after writing down which holds have expired by then.

        Written down, because credit that expired for this process must not be settled by another one whose clock is
        behind.
        """
        await self._database.execute(
            "UPDATE holds SET state = 'expired' WHERE user_id = $1 AND state = 'held' AND expire_time <= $2",
            self._user,
            now,
        )
        return (await figures(self._database, self._user, {meter: window}, now))[meter]

    async def add(self, hold: Hold) -> None:
        """Keeps a new hold."""
        order, split = hold.order, hold.split
        await self._database.execute(
            ADD_HOLD,
            order.user,
            hold.id,
            order.request_id,
            order.meter,
            order.amount,
            split.from_allowance,
            split.from_grants,
            hold.state.value,
            hold.settled_amount,
            hold.create_time,
            hold.expire_time,
        )

    async def resolve(self, hold: Hold, charges: Iterable[Movement] = ()) -> None:
        """Keeps how a hold ended, and what was charged."""
        await self._database.execute(
            "UPDATE holds SET state = $3, settled_amount = $4 WHERE user_id = $1 AND id = $2",
            self._user,
            hold.id,
            hold.state.value,
            hold.settled_amount,
        )
        for charge in charges:
            await self.record(charge)

    async def record(self, movement: Movement) -> Entry:
        """Enters a movement into the ledger under the next number."""
        usage = movement.usage
        number = await self._database.fetchval(
            ADD_ENTRY,
            movement.user,
            movement.meter,
            movement.amount,
            movement.kind.value,
            movement.hold,
            usage.resource if usage is not None else None,
            usage.model if usage is not None else None,
            usage.input_tokens if usage is not None else None,
            usage.output_tokens if usage is not None else None,
            movement.request_id,
            movement.reserve_time,
            movement.create_time,
        )
        return Entry(number, movement)
