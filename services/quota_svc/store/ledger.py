"""The ledger: reading an account, and changing any number of them in one transaction.

Accounts that were written or read last are kept in memory, and a change is first decided by what is kept: one statement
then checks their versions and writes, or finds that somebody else has changed one of them and writes nothing. In that
case, and where an account is not kept or something is asked for by an id, the accounts are locked, read, and decided on
anew. A version is random, so that no two writers ever write the same one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import randbits

from asyncpg import Record, UniqueViolationError
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.calendar import Calendar
from services.quota_svc.domain.changes import Changes
from services.quota_svc.domain.credit import Credit
from services.quota_svc.domain.flushing import flush
from services.quota_svc.domain.hold import Hold
from services.quota_svc.domain.plan import FREE, Tariff
from services.quota_svc.store import columns, rows, statements
from services.quota_svc.store.asked import Asked, Key

REMEMBERED_MAX = 20_000
VERSION_BITS = 62

Accounts = dict[str, Account]


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way out: the stream's topic, and the bytes that are published."""

    topic: str
    payload: bytes


Messages = Callable[[Account, Changes, str], Iterable[Message]]


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and by what a change is decided; `causes` are the ids of the requests behind it, by user."""

    now: datetime
    tariff: Tariff
    causes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """The users whose accounts a transaction has changed, and whether it has told any event."""

    users: list[str]
    told: bool


class Ledger:
    """`messages` says what is published of an account's changes and the request that made them."""

    def __init__(self, pool: Pool, messages: Messages) -> None:
        self._pool = pool
        self._messages = messages
        self._kept: OrderedDict[str, Account] = OrderedDict()

    async def open(self, users: Iterable[str], now: datetime) -> None:
        """Opens the accounts that are not open."""
        unknown = [user for user in users if user not in self._kept]
        if unknown:
            async with connection(self._pool) as database:
                opened = await database.fetch(statements.OPEN, unknown, FREE, now)
            self._keep({row["user_id"]: Account(row["user_id"], now) for row in opened})

    async def account(self, user: str) -> Account | None:
        """The account as it was last committed; None when it was never opened."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(statements.ACCOUNT, user)
        if row is None:
            return None
        account = _account(row, map(rows.credit, row["credits"]), map(rows.hold, row["holds"]))
        if user not in self._kept:
            # Whoever looks is often about to change it.
            self._keep({user: account.copy()})
        return account

    async def due(self, now: datetime, users_max: int) -> list[str]:
        """Some users for whom time alone has something to do."""
        async with connection(self._pool) as database:
            return [row["user_id"] for row in await database.fetch(statements.DUE, now, users_max)]

    async def change(
        self, users: Sequence[str], asked: Asked, apply: Callable[[Accounts], None], occasion: Occasion
    ) -> Written:
        """Commits what `apply` changes of the users' accounts, all or nothing.

        `apply` may be called twice. An account that was never opened is there as an empty one, and must not be changed.
        """
        try:
            written = await self._by_memory(users, asked, apply, occasion)
            return written or await self._by_reading(users, asked, apply, occasion)
        except BaseException:
            self._forget(users)
            raise

    async def _by_memory(
        self, users: Sequence[str], asked: Asked, apply: Callable[[Accounts], None], occasion: Occasion
    ) -> Written | None:
        """The change by what is kept; None when that was not enough, or is not true any more."""
        accounts = {user: self._kept[user] for user in users if user in self._kept}
        if len(accounts) < len(users) or not asked.live_in(accounts):
            return None
        versions = {user: account.version for user, account in accounts.items()}
        apply(accounts)
        written, arguments = self._flushed(accounts, versions, occasion)
        try:
            async with connection(self._pool) as database:
                stale = bool(await database.fetch(statements.WRITE, *arguments))
        except UniqueViolationError:
            # Something that was taken for new is there already.
            stale = True
        if stale:
            self._forget(users)
            return None
        self._keep(accounts)
        return written

    async def _by_reading(
        self, users: Sequence[str], asked: Asked, apply: Callable[[Accounts], None], occasion: Occasion
    ) -> Written:
        """The change by what the database says, which nobody else changes meanwhile."""
        async with connection(self._pool) as database, database.transaction():
            found = await _read(database, await database.fetch(statements.LOCK, users))
            opened = {account.user: account for account in found}
            accounts = {user: opened.get(user) or Account(user, occasion.now) for user in users}
            await _recall(database, accounts, asked)
            apply(accounts)
            opened = {user: accounts[user] for user in opened}
            versions = {user: account.version for user, account in opened.items()}
            written, arguments = self._flushed(opened, versions, occasion)
            if written.users:
                await database.fetch(statements.WRITE, *arguments)
        self._keep(opened)
        return written

    def _flushed(
        self, accounts: Accounts, versions: Mapping[str, int], occasion: Occasion
    ) -> tuple[Written, list[list[object]]]:
        """What is to be written, and the arguments that write it where the accounts still have these versions."""
        changed = [account for account in accounts.values() if account.changes]
        for account in changed:
            account.version = 1 + randbits(VERSION_BITS)
        flushed = [(account, flush(account, occasion.tariff, occasion.now)) for account in changed]
        messages = [
            message
            for account, changes in flushed
            for message in self._messages(account, changes, occasion.causes.get(account.user, ""))
        ]
        written = Written([account.user for account in changed], bool(messages))
        return written, columns.arguments(versions, flushed, [(one.topic, one.payload) for one in messages])

    def _keep(self, accounts: Accounts) -> None:
        for user, account in accounts.items():
            self._kept[user] = account
            self._kept.move_to_end(user)
        while len(self._kept) > REMEMBERED_MAX:
            self._kept.popitem(last=False)

    def _forget(self, users: Iterable[str]) -> None:
        for user in users:
            self._kept.pop(user, None)


async def _read(database: PoolConnectionProxy, found: Sequence[Record]) -> list[Account]:
    """Accounts with what is live of them."""
    if not found:
        return []
    users = [row["user_id"] for row in found]
    accounts: dict[str, tuple[list[Credit], list[Hold]]] = {user: ([], []) for user in users}
    for row in await database.fetch(statements.LIVE_CREDITS, users):
        accounts[row["user_id"]][0].append(rows.credit(row))
    for row in await database.fetch(statements.LIVE_HOLDS, users):
        accounts[row["user_id"]][1].append(rows.hold(row))
    return [_account(row, *accounts[row["user_id"]]) for row in found]


def _account(row: Record, credits: Iterable[Credit], holds: Iterable[Hold]) -> Account:  # noqa: A002
    return Account(
        row["user_id"],
        row["time"],
        plan=row["plan"],
        calendar=Calendar(row["time_zone"], row["anchor"]),
        number=row["number"],
        changes_of_plan=row["changes_of_plan"],
        version=row["version"],
        taken=rows.taken(row),
        credits=credits,
        holds=holds,
    )


async def _recall(database: PoolConnectionProxy, accounts: Accounts, asked: Asked) -> None:
    """Makes known to the accounts what was asked for by id and is not live."""
    for row in await _asked(database, statements.ASKED_HOLDS, [*asked.holds, *asked.new_holds]):
        accounts[row["user_id"]].recall(holds=[rows.hold(row)])
    for row in await _asked(database, statements.ASKED_CREDITS, asked.credits):
        accounts[row["user_id"]].recall(credits=[rows.credit(row)])
    for row in await _asked(database, statements.ASKED_ADJUSTMENTS, asked.adjustments):
        accounts[row["user_id"]].recall(adjustments=[rows.adjustment(row)])
    for row in await _asked(database, statements.ASKED_PLAN_CHANGES, asked.plan_changes):
        accounts[row["user_id"]].recall(plan_changes=[rows.plan_change(row)])


async def _asked(database: PoolConnectionProxy, query: str, keys: Sequence[Key]) -> Sequence[Record]:
    if not keys:
        return []
    return await database.fetch(query, [user for user, _ in keys], [one for _, one in keys])
