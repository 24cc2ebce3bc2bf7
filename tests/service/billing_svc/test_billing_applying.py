"""What quota_svc is told: everything, once, in order for one user."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from runtime.postgres import Pool
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.billing_svc.applying import USERS_MAX, Applying
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Payment
from services.billing_svc.keeping import Keeping
from services.billing_svc.store import Books, Effects
from tests.service.billing_svc import quota
from tests.service.billing_svc.quota import QuotaDesk
from tests.service.billing_svc.shop import Clock, agreed, paid

UNAVAILABLE, REFUSED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.FAILED_PRECONDITION
WAIT_SECONDS_MAX = 90.0


class WatchfulDesk(QuotaDesk):
    """`gate`, while it is set, holds every answer up. `together` are most calls for one user at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.gate: asyncio.Event | None = None
        self.refuses: type[Message] | None = None
        self.at_work: dict[str, int] = {}
        self.together = 0

    async def _take(self, request: Any, request_id: str, context: Any) -> None:
        user = request.parent
        self.at_work[user] = self.at_work.get(user, 0) + 1
        self.together = max(self.together, self.at_work[user])
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.refuses is not None and isinstance(request, self.refuses):
                self.told.append(request)
                await context.abort(REFUSED, "the test wants it so")
            await super()._take(request, request_id, context)
        finally:
            self.at_work[user] -= 1

    def calls(self, user: str = "ann") -> list[tuple[str, str]]:
        """What was told of a user, in the order in which it came, and the plan or credits of it."""
        mine: list[Any] = [one for one in self.told if one.parent == f"users/{user}"]  # type: ignore[attr-defined]
        return [
            (type(one).__name__, one.plan if isinstance(one, quota_pb2.SetPlanRequest) else str(one.amount))
            for one in mine
        ]


@pytest.fixture
def quota_desk() -> WatchfulDesk:
    return WatchfulDesk()  # type: ignore[abstract] # it is asked for nothing else


@pytest.fixture
async def other_applying(connections: Pool, quota_desk: WatchfulDesk, clock: Clock) -> AsyncIterator[Applying]:
    """Another replica's."""
    async with quota.serving(quota_desk) as channel:
        yield Applying(Effects(connections), QuotaServiceStub(channel), clock)


@asynccontextmanager
async def running(*applyings: Applying) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(one.run()) for one in applyings]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await holds():
            await asyncio.sleep(0.01)


async def bought(keeping: Keeping, user: str = "ann") -> None:
    """A plan and a pack; the pack's money goes back."""
    pack = paid(user, "packs/small")
    for facts in (Facts((agreed(user),), (paid(user),)), packs(pack), packs(replace(pack, refunded=499))):
        await keeping.keep(facts, await keeping.fence())


def packs(*payments: Payment) -> Facts:
    return Facts(payments=payments)


IN_ORDER = [("GrantRequest", "20"), ("SetPlanRequest", "plans/pro"), ("GrantRequest", "100"), ("AdjustRequest", "-100")]


async def left(connections: Pool) -> list[tuple[str, int, str | None]]:
    rows = await connections.fetch("SELECT kind, attempts, refused FROM effects ORDER BY number")
    return [(row["kind"], row["attempts"], row["refused"]) for row in rows]


async def test_everything_is_told_once_in_the_order_in_which_it_happened(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool
) -> None:
    await bought(keeping)
    await applying.apply("ann")
    await applying.apply("ann")
    assert (quota_desk.calls(), await left(connections)) == (IN_ORDER, [])


async def test_while_quota_is_away_everything_waits_and_is_told_in_order_afterwards(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool, clock: Clock
) -> None:
    quota_desk.fault = UNAVAILABLE
    await bought(keeping)
    await applying.apply("ann")
    assert quota_desk.calls() == IN_ORDER[:1]
    assert await left(connections) == [("grant", 1, None), ("plan", 0, None), ("grant", 0, None), ("adjust", 0, None)]
    quota_desk.told.clear()
    async with running(applying):
        applying.nudge()
        quota_desk.fault = None
        clock.forward(seconds=1)

        async def done() -> bool:
            return not await left(connections)

        await until(done)
    assert quota_desk.calls() == IN_ORDER


async def test_the_waits_grow_and_stay_below_five_minutes(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool, clock: Clock
) -> None:
    quota_desk.fault = UNAVAILABLE
    await keeping.keep(packs(paid(article="packs/small")), 1)
    waits = []
    for _ in range(8):
        await applying.apply("ann")
        due = await connections.fetchval("SELECT due_time FROM effects")
        waits.append((due - clock()).total_seconds())
        clock.now = due
    assert waits == [0.2, 0.8, 3.2, 12.8, 51.2, 204.8, 300.0, 300.0]


async def test_what_was_tried_very_often_still_waits_for_the_next_time(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool
) -> None:
    quota_desk.fault = UNAVAILABLE
    await keeping.keep(packs(paid(article="packs/small")), 1)
    await connections.execute("UPDATE effects SET attempts = 512")
    await applying.apply("ann")
    assert await left(connections) == [("grant", 513, None)]


async def test_what_is_refused_stays_with_the_reason_and_holds_nobody_up(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool
) -> None:
    quota_desk.refuses = quota_pb2.SetPlanRequest
    await bought(keeping)
    await applying.apply("ann")
    assert quota_desk.calls() == IN_ORDER
    assert await left(connections) == [("plan", 0, "FAILED_PRECONDITION: the test wants it so")]
    await applying.apply("ann")
    assert quota_desk.calls() == IN_ORDER


async def test_what_was_told_and_not_noted_is_told_again_under_the_same_id(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool, clock: Clock
) -> None:
    quota_desk.lost = 1
    await keeping.keep(packs(paid(article="packs/small")), 1)
    await applying.apply("ann")
    assert await left(connections) == [("grant", 1, None)]
    clock.forward(seconds=1)
    await applying.apply("ann")
    first, second = quota_desk.told
    assert (first, len(quota_desk.effects), await left(connections)) == (second, 1, [])


async def test_a_process_that_dies_after_telling_leaves_it_to_the_next_one(
    keeping: Keeping, applying: Applying, other_applying: Applying, quota_desk: WatchfulDesk, connections: Pool
) -> None:
    await bought(keeping)
    quota_desk.gate = asyncio.Event()
    dying = asyncio.create_task(applying.apply("ann"))

    async def asked() -> bool:
        return bool(quota_desk.at_work)

    await until(asked)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    quota_desk.gate.set()
    await other_applying.apply("ann")
    assert (len(quota_desk.effects), await left(connections)) == (4, [])
    assert list(dict.fromkeys(quota_desk.calls())) == IN_ORDER


async def test_two_replicas_never_tell_of_one_user_at_the_same_time_or_out_of_order(
    keeping: Keeping, applying: Applying, other_applying: Applying, quota_desk: WatchfulDesk, connections: Pool
) -> None:
    users = [f"user{number}" for number in range(8)]
    async with running(applying, other_applying):
        for user in users:
            await bought(keeping, user)
            applying.nudge()
            other_applying.nudge()

        async def done() -> bool:
            return not await left(connections)

        await until(done)
    assert [quota_desk.calls(user) for user in users] == [IN_ORDER] * len(users)
    assert quota_desk.together == 1


async def test_a_user_whose_effects_wait_holds_up_nobody_else(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool
) -> None:
    quota_desk.fault = UNAVAILABLE
    await bought(keeping)
    await applying.apply("ann")
    quota_desk.fault = None
    await bought(keeping, "bob")
    async with running(applying):

        async def done() -> bool:
            return len(quota_desk.calls("bob")) == len(IN_ORDER)

        await until(done)
    assert quota_desk.calls("bob") == IN_ORDER


async def test_users_of_whom_nobody_can_tell_hold_up_nobody_else(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, connections: Pool, clock: Clock
) -> None:
    for number in range(USERS_MAX):
        await keeping.keep(packs(paid(f"user{number}", "packs/small")), number + 1)
    await connections.execute("UPDATE effects SET content = '{}'")
    clock.forward(seconds=1)
    await bought(keeping, "bob")
    async with running(applying):

        async def done() -> bool:
            return len(await left(connections)) == USERS_MAX

        await until(done)
    assert quota_desk.calls("bob") == IN_ORDER


async def test_a_quota_that_hangs_leaves_the_database_to_everybody_else(
    keeping: Keeping, applying: Applying, quota_desk: WatchfulDesk, books: Books
) -> None:
    for number in range(USERS_MAX):
        await keeping.keep(packs(paid(f"user{number}", "packs/small")), number + 1)
    quota_desk.gate = asyncio.Event()
    async with running(applying):

        async def asked() -> bool:
            return sum(quota_desk.at_work.values()) >= 4

        await until(asked)
        assert [await books.due(agreed().start, 1) for _ in range(10)] == [[]] * 10
        quota_desk.gate.set()
