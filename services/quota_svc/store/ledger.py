"""The ledger: reading it, and opening one user's books to change them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from runtime.postgres import Pool, connection
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.entry import Entry
from services.quota_svc.domain.meter import Figures
from services.quota_svc.domain.plan import Window
from services.quota_svc.store import rows
from services.quota_svc.store.books import Books
from services.quota_svc.store.figures import figures

KEEP_PLAN = """
    INSERT INTO accounts (user_id, plan, plan_time, opened_at) VALUES ($1, $2, $3, $3)
    ON CONFLICT (user_id) DO UPDATE SET plan = excluded.plan, plan_time = excluded.plan_time
"""

PAGE = "SELECT * FROM entries WHERE user_id = $1 AND ($2::bigint IS NULL OR number < $2) ORDER BY number DESC LIMIT $3"


class Ledger:
    """Everybody's accounts, holds and entries."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def books(self, user: str) -> AsyncIterator[Books]:
        """The user's books, kept when the block ends well. Whoever else wants them waits on the account's row."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute("SELECT FROM accounts WHERE user_id = $1 FOR UPDATE", user)
            yield Books(database, user)

    async def open(self, user: str, now: datetime) -> None:
        """Opens the user's account unless it is open."""
        async with connection(self._pool) as database:
            await database.execute(
                "INSERT INTO accounts (user_id, opened_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", user, now
            )

    async def account(self, user: str) -> Account | None:
        async with connection(self._pool) as database:
            row = await database.fetchrow("SELECT * FROM accounts WHERE user_id = $1", user)
        return rows.account(row) if row is not None else None

    async def keep_plan(self, user: str, plan: str, now: datetime) -> None:
        """Keeps what billing said at `now`, in an account that is opened if it was not."""
        async with connection(self._pool) as database:
            await database.execute(KEEP_PLAN, user, plan, now)

    async def granted_meters(self, user: str) -> list[str]:
        """The meters that grants were ever made on, by name."""
        query = "SELECT DISTINCT meter FROM entries WHERE user_id = $1 AND kind = 'grant' ORDER BY meter"
        async with connection(self._pool) as database:
            return [row["meter"] for row in await database.fetch(query, user)]

    async def figures(self, user: str, windows: Mapping[str, Window], now: datetime) -> dict[str, Figures]:
        """The figures of each meter that `windows` names, for the period that it gives."""
        async with connection(self._pool) as database:
            return await figures(database, user, windows, now)

    async def entries(self, user: str, before: int | None, count: int) -> list[Entry]:
        """At most `count` entries, newest first, of those numbered below `before`."""
        async with connection(self._pool) as database:
            return [rows.entry(row) for row in await database.fetch(PAGE, user, before, count)]
