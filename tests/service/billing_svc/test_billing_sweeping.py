"""What time alone does."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from runtime.postgres import Pool
from services.billing_svc.applying import Applying
from services.billing_svc.domain.agreement import RENEWAL_SLACK, Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.keeping import Keeping
from services.billing_svc.store import Books
from services.billing_svc.sweeping import Sweeping
from tests.service.billing_svc.quota import QuotaDesk
from tests.service.billing_svc.shop import MONTH, NOW, Clock, agreed

GRACE = timedelta(days=7)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def sweeping(books: Books, keeping: Keeping, clock: Clock) -> Sweeping:
    return Sweeping(books, keeping, clock)


@pytest.fixture
def other_sweeping(books: Books, keeping: Keeping, clock: Clock) -> Sweeping:
    """Another replica's."""
    return Sweeping(books, keeping, clock)


async def kept(connections: Pool, user: str = "ann") -> tuple[str, str]:
    """The plan and the state that are kept of a user."""
    row = await connections.fetchrow("SELECT plan, state FROM subscriptions WHERE user_id = $1", user)
    assert row is not None
    return row["plan"], row["state"]


async def plans(connections: Pool) -> list[str]:
    """The plans that quota_svc is to be told."""
    rows = await connections.fetch("SELECT content ->> 'plan' AS plan FROM effects WHERE kind = 'plan' ORDER BY number")
    return [row["plan"] for row in rows]


@pytest.mark.parametrize(
    ("agreement", "ends", "afterwards"),
    [
        (agreed(state=State.PAST_DUE, period_end=NOW, grace_end=NOW + GRACE), NOW + GRACE, ("free", "past_due")),
        (agreed(state=State.CANCELLED), NOW + MONTH, ("free", "active")),
        (agreed(state=State.PAUSED), NOW + MONTH, ("free", "paused")),
        (agreed(), NOW + MONTH + RENEWAL_SLACK, ("free", "active")),
        (agreed(state=State.TRIALING, trial=True), NOW + MONTH + RENEWAL_SLACK, ("free", "active")),
    ],
    ids=lambda value: value.state.value if isinstance(value, Agreement) else "",
)
async def test_a_plan_lasts_until_its_end_and_not_longer(
    sweeping: Sweeping,
    keeping: Keeping,
    applying: Applying,
    quota_desk: QuotaDesk,
    connections: Pool,
    clock: Clock,
    agreement: Agreement,
    ends: datetime,
    afterwards: tuple[str, str],
) -> None:
    await keeping.keep(Facts((agreement,)), 1)
    clock.now = ends - MOMENT
    assert (await sweeping.sweep(), await kept(connections)) == (0, ("pro", agreement.state.value))
    clock.now += MOMENT
    assert (await sweeping.sweep(), await kept(connections)) == (1, afterwards)
    assert (await sweeping.sweep(), await plans(connections)) == (0, ["pro", "free"])
    await applying.apply("ann")
    assert quota_desk.plan("ann") == "plans/free"


async def test_a_better_agreement_that_ends_leaves_the_plan_to_the_other_one(
    sweeping: Sweeping, keeping: Keeping, connections: Pool, clock: Clock
) -> None:
    ending = agreed(state=State.CANCELLED, id="sub_1")
    await keeping.keep(Facts((ending, agreed(plan="creator", id="sub_2", period_end=NOW + 3 * MONTH))), 1)
    clock.forward(days=30)
    assert await sweeping.sweep() == 1
    assert (await kept(connections), await plans(connections)) == (("creator", "active"), ["pro", "creator"])


async def test_an_agreement_is_in_force_again_when_the_period_that_was_revoked_is_over(
    sweeping: Sweeping, keeping: Keeping, connections: Pool, clock: Clock
) -> None:
    await keeping.keep(Facts((agreed(period_end=NOW + 2 * MONTH),)), 1)
    await connections.execute("UPDATE agreements SET revoked_until = $1", NOW + MONTH)
    await keeping.look("ann")
    assert await kept(connections) == ("free", "active")
    clock.forward(days=30)
    assert (await sweeping.sweep(), await kept(connections)) == (1, ("pro", "active"))


async def test_two_replicas_that_sweep_at_once_change_each_plan_once(
    sweeping: Sweeping, other_sweeping: Sweeping, keeping: Keeping, connections: Pool, clock: Clock
) -> None:
    users = [f"user{number:02}" for number in range(20)]
    for place, user in enumerate(users):
        await keeping.keep(Facts((agreed(user, state=State.CANCELLED),)), place + 1)
    clock.forward(days=31)
    await asyncio.gather(sweeping.sweep(), other_sweeping.sweep())
    assert [await kept(connections, user) for user in users] == [("free", "active")] * len(users)
    assert await plans(connections) == ["pro"] * len(users) + ["free"] * len(users)
    assert await sweeping.sweep() == 0


async def test_a_renewal_that_comes_late_keeps_the_plan(
    sweeping: Sweeping, keeping: Keeping, connections: Pool, clock: Clock
) -> None:
    await keeping.keep(Facts((agreed(),)), 1)
    clock.forward(days=32)
    assert await sweeping.sweep() == 0
    await keeping.keep(Facts((agreed(period_end=NOW + 2 * MONTH),)), 2)
    clock.forward(days=2)
    assert (await sweeping.sweep(), await plans(connections)) == (0, ["pro"])


async def test_it_sweeps_by_itself(sweeping: Sweeping, keeping: Keeping, connections: Pool, clock: Clock) -> None:
    await keeping.keep(Facts((agreed(state=State.CANCELLED),)), 1)
    clock.forward(days=31)
    task = asyncio.create_task(sweeping.run())
    try:
        async with asyncio.timeout(90):
            while await kept(connections) != ("free", "active"):
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_user_at_whom_nobody_can_look_holds_up_nobody_else(
    sweeping: Sweeping, keeping: Keeping, connections: Pool, clock: Clock
) -> None:
    await keeping.keep(Facts((agreed(state=State.CANCELLED, period_end=NOW + timedelta(days=29)),)), 1)
    await keeping.keep(Facts((agreed("bob", state=State.CANCELLED),)), 2)
    await connections.execute("UPDATE agreements SET state = 'unheard of' WHERE user_id = 'ann'")
    clock.forward(days=31)
    assert await sweeping.sweep() == 2
    assert (await kept(connections), await kept(connections, "bob")) == (("pro", "cancelled"), ("free", "active"))
    assert await sweeping.sweep() == 0
    await connections.execute("UPDATE agreements SET state = 'cancelled' WHERE user_id = 'ann'")
    clock.forward(minutes=1)
    assert (await sweeping.sweep(), await kept(connections)) == (1, ("free", "active"))
