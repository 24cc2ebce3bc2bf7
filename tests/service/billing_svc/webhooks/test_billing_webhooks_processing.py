import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from structlog.testing import capture_logs

from runtime.errors import InvalidArgument, Unavailable
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.delivery import ATTEMPTS_MAX, AWAY_MAX, RETRIES
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.webhooks import processing
from services.billing_svc.webhooks.processing import LEASE
from tests.service.billing_svc.shop import NOW, Clock, agreed, paid
from tests.service.billing_svc.webhooks.replica import Replica, replica, running, until
from tests.service.billing_svc.webhooks.scripted import Scripted, event

BOUGHT = Facts((agreed(),), (paid(),))
# What follows from it: credits of the payment's line, and the plan.
EFFECTS = [("grant", "20"), ("plan", "pro")]


@pytest.fixture(autouse=True)
def _bought(stripe: Scripted) -> None:
    stripe.says["ann"] = BOUGHT


@pytest.fixture
async def other(post: Replica, keeping: Keeping, stripe: Scripted, clock: Clock) -> AsyncIterator[Replica]:
    """Another replica of the same service."""
    async with replica(post.connections, keeping, [stripe], clock) as other:
        yield other


class Gate:
    """Holds whoever asks the provider until it is opened."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, delivery: Delivery) -> None:
        self.reached.set()
        await self.opened.wait()


def failing(*errors: Exception) -> "Failures":
    return Failures(iter(errors))


class Failures:
    """One error after the other, then none."""

    def __init__(self, errors: Iterator[Exception]) -> None:
        self._errors = errors

    async def __call__(self, delivery: Delivery) -> None:
        for error in self._errors:
            raise error


async def test_what_a_provider_says_of_a_delivery_is_kept(post: Replica) -> None:
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        await post.ended("evt_1")
    assert await post.stands("evt_1") == ("done", 1, "")
    assert await post.effects() == EFFECTS


async def test_a_delivery_is_worked_on_as_soon_as_it_is_kept(post: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processing, "POLL_SECONDS", 3600.0)
    async with running(post.processing.run()):
        for number in range(20):
            await post.receive(event(f"evt_{number}", "ann"))
            await post.ended(f"evt_{number}")


async def test_one_event_a_hundred_times_at_once_has_one_effect(post: Replica, other: Replica) -> None:
    async with running(post.processing.run()), running(other.processing.run()):
        await asyncio.gather(*[one.receive(event("evt_1", "ann")) for one in (post, other) for _ in range(50)])
        await post.ended("evt_1")
    assert await post.stands("evt_1") == ("done", 1, "")
    assert (await post.effects(), await post.told()) == (EFFECTS, 2)


async def test_a_hundred_events_of_one_purchase_have_one_effect(post: Replica, other: Replica) -> None:
    names = [f"evt_{number}" for number in range(100)]
    async with running(post.processing.run()), running(other.processing.run()):
        await asyncio.gather(*[one.receive(event(name, "ann")) for name in names for one in (post, other)])
        await post.ended(*names)
    assert [await post.stands(name) for name in names] == [("done", 1, "")] * 100
    assert (await post.effects(), await post.told()) == (EFFECTS, 2)


async def test_two_replicas_share_the_work_and_do_none_of_it_twice(
    post: Replica, other: Replica, stripe: Scripted
) -> None:
    names = [f"evt_{number}" for number in range(60)]
    await asyncio.gather(*[post.receive(event(name, "nobody")) for name in names])
    async with running(post.processing.run()), running(other.processing.run()):
        await post.ended(*names)
    assert stripe.asked == dict.fromkeys(names, 1)


@pytest.mark.parametrize("seed", range(5))
async def test_events_in_any_order_and_number_end_in_what_the_provider_says_last(
    post: Replica, other: Replica, stripe: Scripted, clock: Clock, seed: int
) -> None:
    random = Random(seed)
    ends = NOW + timedelta(days=30)
    stages = [
        Facts((agreed(state=State.TRIALING, trial=True),)),
        BOUGHT,
        Facts((agreed(plan="creator"),), (paid(), paid(id="in_2", cents=299, lines=()))),
        Facts((agreed(plan="pro"),), (paid(refunded=1499),)),
        Facts((agreed(plan="pro", state=State.CANCELLED, period_end=ends),), (paid(refunded=1499),)),
    ]
    names = [f"evt_{number}" for number in range(len(stages))] * 4
    random.shuffle(names)
    async with running(post.processing.run()), running(other.processing.run()):
        for number, name in enumerate(names):
            stripe.says["ann"] = stages[min(number * len(stages) // len(names), len(stages) - 1)]
            await random.choice((post, other)).receive(event(name, "ann"))
        stripe.says["ann"] = stages[-1]
        await post.receive(event("evt_last", "ann"))
        await post.ended(*names, "evt_last")
    row = await post.connections.fetchrow("SELECT plan, state, period_end, revoked_until FROM agreements")
    assert row is not None
    assert tuple(row) == ("pro", "cancelled", ends, ends)
    subscription = await post.connections.fetchrow("SELECT plan, state FROM subscriptions")
    assert subscription is not None
    assert tuple(subscription) == ("free", "active")
    given = [int(value) for kind, value in await post.effects() if kind in ("grant", "adjust")]
    assert sum(given) == 0


async def test_what_concerns_nobody_of_ours_is_ignored_with_the_reason(post: Replica) -> None:
    await post.receive(event("evt_1", "nobody"))
    async with running(post.processing.run()):
        await post.ended("evt_1")
    assert await post.stands("evt_1") == ("ignored", 1, "It concerns nobody of ours.")


async def test_a_reason_is_kept_however_odd_it_is(post: Replica, stripe: Scripted) -> None:
    stripe.before = failing(NotOurs("a\0b" * 1000))
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        await post.ended("evt_1")
    assert await post.stands("evt_1") == ("ignored", 1, ("ab" * 1000)[:500])


async def test_a_failure_is_tried_again_ever_later_and_then_given_up(
    post: Replica, stripe: Scripted, clock: Clock
) -> None:
    stripe.before = failing(*[ValueError("the card 4242 of ann")] * ATTEMPTS_MAX)
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        for number, wait in enumerate(RETRIES, start=1):
            await until(partial(due_in, post, clock, wait))
            state, attempts, detail = await post.stands("evt_1")
            assert (state, attempts, detail.partition(":")[0]) == (
                "pending",
                number,
                "ValueError at test_billing_webhooks_processing.py",
            )
            clock.now += wait
            post.processing.nudge(Provider.STRIPE)
        await post.ended("evt_1")
    state, attempts, detail = await post.stands("evt_1")
    assert (state, attempts, "4242" in detail) == ("dead", ATTEMPTS_MAX, False)
    assert await post.effects() == []


async def due_in(post: Replica, clock: Clock, wait: timedelta) -> bool:
    return bool((await post.row("evt_1"))["due_time"] == clock.now + wait)


async def test_an_error_of_ours_is_told_by_its_reason(post: Replica, stripe: Scripted) -> None:
    stripe.before = failing(InvalidArgument("ann's mail is ann@example.org", reason="ODD"))
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        await until(lambda: detailed(post, "InvalidArgument: ODD"))


async def detailed(post: Replica, detail: str) -> bool:
    return str((await post.row("evt_1"))["detail"]) == detail


async def test_a_provider_that_is_away_is_waited_for_as_long_as_it_takes(
    post: Replica, stripe: Scripted, clock: Clock
) -> None:
    stripe.before = failing(*[Unavailable("Not now.", reason="STRIPE_UNAVAILABLE")] * 20)
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        for asked in range(1, 21):
            await until(partial(noted, post, stripe, clock, asked))
            assert await post.stands("evt_1") == ("pending", 0, "Unavailable: STRIPE_UNAVAILABLE")
            clock.now += AWAY_MAX
            post.processing.nudge(Provider.STRIPE)
        await post.ended("evt_1")
    assert await post.stands("evt_1") == ("done", 1, "")
    assert await post.effects() == EFFECTS


async def noted(post: Replica, stripe: Scripted, clock: Clock, asked: int) -> bool:
    row = await post.row("evt_1")
    return (
        stripe.asked["evt_1"] == asked and clock.now < row["due_time"] <= clock.now + AWAY_MAX and not row["attempts"]
    )


async def test_a_delivery_that_always_fails_holds_up_no_other(post: Replica, stripe: Scripted) -> None:
    async def poisoned(delivery: Delivery) -> None:
        if delivery.event_id.startswith("bad"):
            raise ValueError

    stripe.before = poisoned
    bad, good = [f"bad_{number}" for number in range(30)], [f"good_{number}" for number in range(30)]
    for name in [one for pair in zip(bad, good, strict=True) for one in pair]:
        await post.receive(event(name, "ann"))
    async with running(post.processing.run()):
        await post.ended(*good)
        await until(lambda: all_failed(post, bad))
    assert await post.effects() == EFFECTS


async def all_failed(post: Replica, names: list[str]) -> bool:
    return all([(await post.stands(name))[:2] == ("pending", 1) for name in names])


async def test_a_provider_that_does_not_answer_holds_up_no_other(
    post: Replica, keeping: Keeping, stripe: Scripted, clock: Clock
) -> None:
    stuck = Scripted(Provider.CRYPTOMUS)
    stuck.before = Gate()
    async with replica(post.connections, keeping, [stripe, stuck], clock) as both:
        for number in range(20):
            await both.receive(event(f"stuck_{number}", "ann"), Provider.CRYPTOMUS)
        async with running(both.processing.run()):
            await stuck.before.reached.wait()
            await both.receive(event("evt_1", "ann"))
            await both.ended("evt_1")


async def test_a_process_that_ends_at_work_leaves_it_to_another_when_its_claim_ends(
    post: Replica, other: Replica, stripe: Scripted, clock: Clock
) -> None:
    stripe.before = gate = Gate()
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        await gate.reached.wait()
    stripe.before = None
    assert await post.stands("evt_1") == ("pending", 1, "")
    async with running(other.processing.run()):
        await other.receive(event("evt_2", "nobody"))
        await other.ended("evt_2")
        assert await post.effects() == []
        clock.now += LEASE
        await other.ended("evt_1")
    assert await post.stands("evt_1") == ("done", 2, "")
    assert await post.effects() == EFFECTS


async def test_a_process_that_ends_between_keeping_and_noting_it_has_one_effect(
    post: Replica, keeping: Keeping, clock: Clock
) -> None:
    await post.receive(event("evt_1", "ann"))
    await keeping.keep(BOUGHT, await keeping.fence())
    async with running(post.processing.run()):
        await post.ended("evt_1")
    assert (await post.effects(), await post.told()) == (EFFECTS, 2)


async def test_what_ends_its_process_each_time_is_given_up(post: Replica, stripe: Scripted, clock: Clock) -> None:
    stripe.before = Gate()
    await post.receive(event("evt_1", "ann"))
    for _ in range(ATTEMPTS_MAX):
        stripe.before = gate = Gate()
        async with running(post.processing.run()):
            await gate.reached.wait()
        clock.now += LEASE
    async with running(post.processing.run()):
        await post.ended("evt_1")
    assert await post.stands("evt_1") == (
        "dead",
        ATTEMPTS_MAX + 1,
        "Whoever worked on it ended before it was done.",
    )


async def test_whoever_comes_back_after_its_claim_ended_notes_nothing(
    post: Replica, other: Replica, stripe: Scripted, clock: Clock
) -> None:
    stripe.before = gate = Gate()
    await post.receive(event("evt_1", "ann"))
    async with running(post.processing.run()):
        await gate.reached.wait()
        clock.now += LEASE
        stripe.before = failing(ValueError())
        async with running(other.processing.run()):
            await until(lambda: due_in(post, clock, RETRIES[1]))
        gate.opened.set()
        await until(lambda: effected(post))
    state, attempts, detail = await post.stands("evt_1")
    assert (state, attempts, detail.partition(" ")[0]) == ("pending", 2, "ValueError")


async def effected(post: Replica) -> bool:
    return await post.effects() == EFFECTS


async def test_nothing_of_a_body_or_an_error_is_logged(post: Replica, stripe: Scripted) -> None:
    stripe.before = failing(ValueError("whsec_secret of ann"), Unavailable("sk_live_secret", reason="AWAY"))
    with capture_logs() as logs:
        for name in ("evt_1", "evt_2"):
            await post.receive(event(name, "ann", card="4242-secret"))
        async with running(post.processing.run()):
            await until(lambda: all_noted(post, "evt_1", "evt_2"))
    assert sorted(line["event"] for line in logs) == ["delivery failed", "delivery waits"]
    assert "secret" not in str(logs)


async def all_noted(post: Replica, *names: str) -> bool:
    return all([(await post.stands(name))[2] for name in names])
