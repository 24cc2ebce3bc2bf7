"""Group commit: operations that arrive while a transaction is in flight share the next one.

One transaction costs a few round trips and one flush of the log, however many operations it carries, so the busier the
ledger is the less an operation costs. The queue is bounded: an operation that finds it full is refused at once. An
operation whose caller has gone before its turn is dropped; one whose caller goes later is committed, and the same
request again gets its answer.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from runtime.context import request_id
from runtime.errors import MeshError, Overloaded
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.plan import Tariff
from services.quota_svc.store import Accounts, Asked, Ledger, Occasion, Written

log = structlog.get_logger()

LANES = 2
QUEUE_MAX = 4096
OPERATIONS_MAX = 256
GATHER_SECONDS = 0.002
RETRY_SECONDS = 0.2

Answer = TypeVar("Answer")


@dataclass(slots=True)
class Operation(Generic[Answer]):
    """A change of the users' accounts: `apply` refuses with a MeshError before it changes anything, or answers.

    With `opens`, accounts that do not exist are opened; otherwise they are there as empty ones.
    """

    users: Sequence[str]
    apply: Callable[[Accounts, datetime], Answer]
    asked: Asked = field(default_factory=Asked)
    opens: bool = False


class Commits:
    """`changed` is told of every transaction that has changed something, after it has committed.

    Operations of one user share a lane; lanes do not wait for each other.
    """

    def __init__(
        self,
        ledger: Ledger,
        tariff: Callable[[], Tariff],
        clock: Callable[[], datetime],
        changed: Callable[[Written], None],
        *,
        lanes: int = LANES,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        self._lanes = [_Lane(ledger, tariff, clock, changed, max(1, queue_max // lanes)) for _ in range(lanes)]

    async def commit(self, operation: Operation[Answer]) -> Answer:
        """The operation's answer, after the transaction that carried it; RESOURCE_EXHAUSTED when too many wait."""
        return await self._lanes[hash(operation.users[0]) % len(self._lanes)].commit(operation)

    async def run(self) -> None:
        """Commits until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for lane in self._lanes:
                tasks.create_task(lane.run())


class _Lane:
    """One transaction at a time."""

    def __init__(
        self,
        ledger: Ledger,
        tariff: Callable[[], Tariff],
        clock: Callable[[], datetime],
        changed: Callable[[Written], None],
        queue_max: int,
    ) -> None:
        self._ledger = ledger
        self._tariff = tariff
        self._clock = clock
        self._changed = changed
        self._queue_max = queue_max
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()

    async def commit(self, operation: Operation[Answer]) -> Answer:
        if len(self._waiting) >= self._queue_max:
            raise Overloaded(
                "The ledger is very busy. Try again shortly.", reason="QUEUE_FULL", retry_after_seconds=RETRY_SECONDS
            )
        waiting = _Waiting(operation, asyncio.get_running_loop().create_future(), request_id())
        self._waiting.append(waiting)
        self._arrived.set()
        answer: Answer = await waiting.answer
        return answer

    async def run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                group = self._next()
                if group:
                    await self._commit(group)
                # Whoever finds the ledger busy waits this long for company; whoever finds it idle does not.
                await asyncio.sleep(GATHER_SECONDS)

    def _next(self) -> list[_Waiting]:
        count = min(len(self._waiting), OPERATIONS_MAX)
        taken = (self._waiting.popleft() for _ in range(count))
        return [one for one in taken if not one.answer.done()]

    async def _commit(self, group: list[_Waiting]) -> None:
        """One transaction, and the answers of those whom it carried."""
        try:
            written = await self._transaction(group)
        except MeshError as error:
            for one in group:
                one.fail(error)
        except Exception as error:
            await self._isolate(group, error)
        else:
            for one in group:
                one.tell()
            if written.users:
                self._tell(written)

    def _tell(self, written: Written) -> None:
        try:
            self._changed(written)
        except Exception:
            # Out of here it would end the process, and whoever waits behind would get no answer.
            log.exception("defect in telling of a commit")

    async def _isolate(self, group: list[_Waiting], error: Exception) -> None:
        """A defect in one operation is that operation's alone: the others are committed without it."""
        if len(group) == 1:
            group[0].fail(error)
            return
        for one in group:
            await self._commit([one])

    async def _transaction(self, group: list[_Waiting]) -> Written:
        now = self._clock()
        opening = {user for one in group if one.operation.opens for user in one.operation.users}
        if opening:
            await self._ledger.open(sorted(opening), now)

        def apply(accounts: Accounts) -> None:
            for one in group:
                one.apply(accounts, now)

        users = sorted({user for one in group for user in one.operation.users})
        causes = {user: one.cause for one in group for user in one.operation.users}
        asked = Asked.all(one.operation.asked for one in group)
        return await self._ledger.change(users, asked, apply, Occasion(now, self._tariff(), causes))


@dataclass(slots=True, eq=False)
class _Waiting:
    """An operation, and where its answer goes."""

    operation: Operation[Any]
    answer: asyncio.Future[Any]
    cause: str
    outcome: Any = None
    error: MeshError | None = None

    def apply(self, accounts: Accounts, now: datetime) -> None:
        self.error = None
        try:
            self.outcome = self.operation.apply(accounts, now)
        except MeshError as error:
            self.error = error

    def tell(self) -> None:
        if self.error is not None:
            self.fail(self.error)
        elif not self.answer.done():
            self.answer.set_result(self.outcome)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def single(
    user: str, apply: Callable[[Account, datetime], Answer], asked: Asked, *, opens: bool = False
) -> Operation[Answer]:
    """An operation on one user's account."""
    return Operation((user,), lambda accounts, now: apply(accounts[user], now), asked, opens)
