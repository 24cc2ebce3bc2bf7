"""What was: pages of entries and holds, and an account as it stood at an instant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from runtime.postgres import Pool, connection
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.calendar import Calendar
from services.quota_svc.domain.entry import Entry, EntryFilter
from services.quota_svc.domain.hold import Hold, HoldState
from services.quota_svc.domain.plan import FREE
from services.quota_svc.store import rows

ENTRIES = """
    SELECT * FROM entries
    WHERE user_id = $1
        AND ($2::bigint IS NULL OR number < $2)
        AND ($3::text IS NULL OR meter = $3)
        AND ($4::text IS NULL OR source = $4)
        AND ($5::timestamptz IS NULL OR create_time >= $5)
        AND ($6::timestamptz IS NULL OR create_time < $6)
    ORDER BY number DESC LIMIT $7
"""

HOLDS = """
    SELECT * FROM holds
    WHERE user_id = $1
        AND ($2::timestamptz IS NULL OR (create_time, id) < ($2, $3::uuid))
        AND ($4::text IS NULL OR state = $4)
    ORDER BY create_time DESC, id DESC LIMIT $5
"""

# A credit as it stood: its balance is what its entries until then add up to; what was charged later was not yet used.
CREDITS_AT = """
    SELECT credits.*, moved.balance AS balance_then, credits.used - moved.charged_later AS used_then
    FROM credits CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(CASE
                WHEN create_time > $2 THEN 0
                WHEN credit = 'available' THEN amount
                WHEN debit = 'available' THEN -amount
                ELSE 0
            END), 0)::bigint AS balance,
            coalesce(sum(amount) FILTER (WHERE create_time > $2 AND kind = 'charge'), 0)::bigint AS charged_later
        FROM entries WHERE entries.user_id = $1 AND entries.credit_id = credits.id
    ) AS moved
    WHERE credits.user_id = $1 AND credits.create_time <= $2 AND (credits.end_time IS NULL OR credits.end_time > $2)
"""

HOLDS_AT = """
    SELECT * FROM holds
    WHERE user_id = $1 AND create_time <= $2 AND expire_time > $2 AND (resolve_time IS NULL OR resolve_time > $2)
"""

ACCOUNT_AT = "SELECT * FROM accounts WHERE user_id = $1 AND create_time <= $2"

PLAN_AT = """
    SELECT plan FROM plan_changes WHERE user_id = $1 AND create_time <= $2 ORDER BY create_time DESC LIMIT 1
"""


class History:
    """Reads what nobody changes any more."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def known(self, user: str) -> bool:
        """Whether the user has an account."""
        async with connection(self._pool) as database:
            return bool(await database.fetchval("SELECT EXISTS (SELECT FROM accounts WHERE user_id = $1)", user))

    async def entries(self, user: str, wanted: EntryFilter, before: int | None, count: int) -> list[Entry]:
        """At most `count` entries, newest first, of those numbered below `before`."""
        source = wanted.source.value if wanted.source is not None else None
        arguments = (user, before, wanted.meter, source, wanted.start, wanted.end, count)
        async with connection(self._pool) as database:
            return [rows.entry(row) for row in await database.fetch(ENTRIES, *arguments)]

    async def holds(
        self, user: str, state: HoldState | None, before: tuple[datetime, UUID] | None, count: int
    ) -> list[Hold]:
        """At most `count` holds, newest first, of those taken before `before`."""
        moment, hold_id = before or (None, None)
        arguments = (user, moment, hold_id, state.value if state is not None else None, count)
        async with connection(self._pool) as database:
            return [rows.hold(row) for row in await database.fetch(HOLDS, *arguments)]

    async def account_at(self, user: str, moment: datetime) -> Account | None:
        """The account as it stood at `moment`, from the entries and holds of then; None when there was none.

        The calendar is today's: which days an allowance belonged to, its credits say themselves.
        """
        async with (
            connection(self._pool) as database,
            database.transaction(isolation="repeatable_read", readonly=True),
        ):
            row = await database.fetchrow(ACCOUNT_AT, user, moment)
            if row is None:
                return None
            plan = await database.fetchval(PLAN_AT, user, moment)
            credits_then = [rows.credit_at(one, moment) for one in await database.fetch(CREDITS_AT, user, moment)]
            holds_then = [rows.hold_at(one) for one in await database.fetch(HOLDS_AT, user, moment)]
        calendar = Calendar(row["time_zone"], row["anchor"])
        return Account(user, moment, plan=plan or FREE, calendar=calendar, credits=credits_then, holds=holds_then)
