"""What providers say, kept: who has what, what was given for it, and who is told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from runtime.postgres import Pool
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.billing_svc.domain.agreement import RENEWAL_SLACK, Agreement, State
from services.billing_svc.domain.effect import grant_id
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider
from services.billing_svc.domain.subscription import Subscription
from services.billing_svc.keeping import Keeping
from services.billing_svc.store import Books, Effects
from services.billing_svc.sweeping import Sweeping
from tests.service.billing_svc.shop import MONTH, NOW, Clock, agreed, paid

CONTENTS = {"plan": ("plan", "reset", "anchor"), "grant": ("credits", "source"), "adjust": ("credits", "why", "grant")}
GRANT = str(grant_id("stripe", "in_ann/il_1"))


async def keep(keeping: Keeping, *agreements: Agreement, payments: tuple[Payment, ...] = ()) -> Subscription:
    """Something that is read just now; Ann's subscription after it."""
    return (await keeping.keep(Facts(agreements, payments), await keeping.fence()))["ann"]


async def told(connections: Pool) -> list[tuple[Any, ...]]:
    """What quota_svc is to be told, in order."""
    found = await connections.fetch("SELECT user_id, kind, content FROM effects ORDER BY number")
    contents = [(row["user_id"], row["kind"], json.loads(row["content"])) for row in found]
    return [(user, kind, *(content[name] for name in CONTENTS[kind])) for user, kind, content in contents]


async def announced(connections: Pool) -> list[str]:
    """The types of the events on their way, in order."""
    found = await connections.fetch("SELECT payload FROM outbox ORDER BY seq")
    return [Envelope.FromString(row["payload"]).type for row in found]


def plan(slug: str, *, reset: bool = False, anchored: bool = True, user: str = "ann") -> tuple[Any, ...]:
    return (user, "plan", slug, reset, NOW.isoformat() if anchored else None)


async def test_a_purchase_puts_the_user_on_the_plan_and_gives_its_credits(keeping: Keeping, connections: Pool) -> None:
    after = await keep(keeping, agreed(), payments=(paid(),))
    assert after == Subscription("ann", "pro", State.ACTIVE, agreed())
    # What was paid for is given first, whatever becomes of the plan.
    assert await told(connections) == [("ann", "grant", 20, "purchase"), plan("pro", reset=True)]
    assert await announced(connections) == ["payment.succeeded", "subscription.created"]


async def test_what_is_said_again_changes_nothing(keeping: Keeping, connections: Pool) -> None:
    for _ in range(3):
        await keep(keeping, agreed(), payments=(paid(), paid("ann", "packs/small")))
    assert len(await told(connections)) == 3
    assert sorted(await announced(connections)) == [
        "credits.purchased",
        "payment.succeeded",
        "payment.succeeded",
        "subscription.created",
    ]


async def test_what_was_read_earlier_never_replaces_what_was_read_later(
    keeping: Keeping, books: Books, connections: Pool
) -> None:
    earlier, later = await keeping.fence(), await keeping.fence()
    ended, refunded = agreed(state=State.EXPIRED), paid(refunded=1499)
    await keeping.keep(Facts((ended,), (refunded,)), later)
    await keeping.keep(Facts((agreed(),), (paid(),)), earlier)
    assert await books.agreements("ann") == (replace(ended, revoked_until=NOW + MONTH),)
    assert await told(connections) == [("ann", "grant", 20, "purchase"), ("ann", "adjust", -20, "refund", GRANT)]


async def test_a_renewal_grants_once_for_its_own_line(keeping: Keeping, connections: Pool) -> None:
    await keep(keeping, agreed(), payments=(paid(),))
    second = Line("il_2", "plans/pro", 1499, Interval.MONTH, NOW + MONTH, NOW + 2 * MONTH, credits=20)
    renewed = agreed(period_end=NOW + 2 * MONTH)
    for _ in range(2):
        await keep(keeping, renewed, payments=(paid(id="in_2", lines=(second,)),))
    assert [one[1] for one in await told(connections)] == ["grant", "plan", "grant"]


async def test_a_proration_and_an_unused_rest_give_no_credits(keeping: Keeping, connections: Pool) -> None:
    rest = Line("il_1", "plans/creator", -200, Interval.WEEK, NOW, NOW + MONTH, credits=10)
    share = Line("il_2", "plans/pro", 900, Interval.MONTH, NOW, NOW + MONTH, proration=True, credits=20)
    await keep(keeping, agreed(), payments=(paid(cents=700, lines=(rest, share)),))
    assert await told(connections) == [plan("pro", reset=True)]


async def test_credits_come_when_an_open_payment_is_paid(keeping: Keeping, connections: Pool) -> None:
    await keep(keeping, payments=(paid("ann", "packs/small", state=PaymentState.OPEN, failed=True),))
    assert (await told(connections), await announced(connections)) == ([], ["payment.failed"])
    await keep(keeping, payments=(paid("ann", "packs/small"),))
    assert await told(connections) == [("ann", "grant", 100, "purchase")]
    assert await announced(connections) == ["payment.failed", "payment.succeeded", "credits.purchased"]


async def test_a_refund_in_parts_takes_the_share_back_and_a_whole_one_the_period(
    keeping: Keeping, connections: Pool
) -> None:
    await keep(keeping, agreed(), payments=(paid(),))
    for cents in (750, 1499):
        after = await keep(keeping, payments=(paid(refunded=cents),))
        assert after.plan == ("pro" if cents == 750 else "free")
    assert (await told(connections))[2:] == [
        ("ann", "adjust", -11, "refund", GRANT),
        ("ann", "adjust", -9, "refund", GRANT),
        plan("free", anchored=False),
    ]
    assert (await announced(connections))[2:] == [
        "payment.refunded",
        "payment.refunded",
        "subscription.cancelled",
        "subscription.downgraded",
    ]


async def test_a_chargeback_takes_everything_and_one_that_is_won_gives_it_again(
    keeping: Keeping, connections: Pool
) -> None:
    await keep(keeping, agreed(), payments=(paid(),))
    assert (await keep(keeping, payments=(paid(disputed=True),))).plan == "free"
    assert (await keep(keeping, payments=(paid(),))).plan == "pro"
    assert [one[1:4] for one in await told(connections) if one[1] == "adjust"] == [
        ("adjust", -20, "chargeback"),
        ("adjust", 20, "correction"),
    ]


async def test_a_payment_that_went_back_and_is_heard_of_first_revokes_all_the_same(keeping: Keeping) -> None:
    await keep(keeping, payments=(paid(refunded=1499),))
    assert (await keep(keeping, agreed())).plan == "free"


async def test_the_period_after_one_that_went_back_is_in_force(keeping: Keeping, clock: Clock) -> None:
    await keep(keeping, agreed(), payments=(paid(refunded=1499),))
    clock.now = NOW + MONTH
    assert (await keep(keeping, agreed(period_end=NOW + 2 * MONTH))).plan == "pro"


async def test_of_a_web_and_a_store_subscription_the_better_one_counts_and_the_other_takes_over(
    keeping: Keeping, connections: Pool
) -> None:
    store = agreed(plan="creator", id="rc_1", provider=Provider.REVENUECAT, start=NOW - MONTH)
    await keep(keeping, store)
    assert (await keep(keeping, agreed())).others == (store,)
    after = await keep(keeping, agreed(state=State.EXPIRED))
    assert (after.plan, after.counts) == ("creator", store)
    assert [(one[2], one[3]) for one in await told(connections)] == [
        ("creator", True),
        ("pro", True),
        ("creator", False),
    ]
    assert await announced(connections) == ["subscription.created", "subscription.upgraded", "subscription.downgraded"]


async def test_an_agreement_that_goes_to_another_user_takes_its_plan_along(
    keeping: Keeping, connections: Pool, books: Books
) -> None:
    store = agreed(id="rc_1", provider=Provider.REVENUECAT)
    await keep(keeping, store)
    both = await keeping.keep(Facts((replace(store, user="bob"),)), await keeping.fence())
    assert {user: one.plan for user, one in both.items()} == {"ann": "free", "bob": "pro"}
    assert await books.agreements("ann") == ()
    assert (await told(connections))[1:] == [
        plan("free", anchored=False),
        plan("pro", reset=True, user="bob"),
    ]


async def test_what_was_charged_to_a_user_stays_with_them(keeping: Keeping, connections: Pool) -> None:
    await keep(keeping, payments=(paid(),))
    await keeping.keep(Facts((), (replace(paid(), user="bob", refunded=1499),)), await keeping.fence())
    assert [one[:3] for one in await told(connections)] == [("ann", "grant", 20), ("ann", "adjust", -20)]


async def test_a_pause_and_a_resumption_keep_what_was_used(keeping: Keeping, connections: Pool, clock: Clock) -> None:
    await keep(keeping, agreed())
    await keep(keeping, agreed(state=State.PAUSED))
    clock.now = NOW + MONTH
    await keeping.look("ann")
    await keep(keeping, agreed(period_end=NOW + 2 * MONTH))
    assert await told(connections) == [plan("pro", reset=True), plan("free", anchored=False), plan("pro")]
    assert await announced(connections) == [
        "subscription.created",
        "subscription.paused",
        "subscription.downgraded",
        "subscription.resumed",
    ]


@pytest.mark.parametrize(
    ("agreement", "end"),
    [
        (agreed(), NOW + MONTH + RENEWAL_SLACK),
        (agreed(state=State.CANCELLED), NOW + MONTH),
        (agreed(state=State.PAST_DUE, grace_end=NOW + timedelta(days=7)), NOW + timedelta(days=7)),
    ],
    ids=["not heard of again", "cancelled", "unpaid"],
)
async def test_time_alone_ends_a_plan_when_it_is_over(
    keeping: Keeping, books: Books, connections: Pool, clock: Clock, agreement: Agreement, end: Any
) -> None:
    await keep(keeping, agreement)
    sweeping = Sweeping(books, keeping, clock)
    clock.now = end - timedelta(seconds=1)
    assert await sweeping.sweep() == 0
    clock.now = end
    assert (await sweeping.sweep(), await sweeping.sweep()) == (1, 0)
    assert (await told(connections))[-1] == plan("free", anchored=False)


async def test_a_hundred_who_say_the_same_at_once_have_one_effect(keeping: Keeping, connections: Pool) -> None:
    facts = Facts((agreed(),), (paid(), paid("ann", "packs/small")))
    gate = asyncio.Semaphore(12)

    async def once() -> None:
        async with gate:
            await keeping.keep(facts, await keeping.fence())

    await asyncio.gather(*(once() for _ in range(100)))
    assert sorted(one[1] for one in await told(connections)) == ["grant", "grant", "plan"]
    assert len(await announced(connections)) == 4


async def test_a_fault_in_the_middle_keeps_nothing(keeping: Keeping, connections: Pool, books: Books) -> None:
    broken = replace(paid("ann", "packs/small"), lines=(Line("pack", "packs/small", 499, credits=-1),))
    with pytest.raises(asyncpg.CheckViolationError):
        await keep(keeping, agreed(), payments=(paid(), broken))
    assert (await told(connections), await announced(connections), await books.agreements("ann")) == ([], [], ())


async def test_effects_wait_in_the_order_in_which_they_happened(keeping: Keeping, connections: Pool) -> None:
    await keep(keeping, agreed(plan="creator"), payments=(paid(),))
    await keep(keeping, agreed(), payments=(paid("ann", "packs/small"),))
    async with Effects(connections).line("ann") as line:
        assert line is not None
        waiting = [type(one.effect).__name__ for one in await line.waiting()]
    assert waiting == ["Grant", "SetPlan", "Grant", "SetPlan"]


async def test_users_do_not_wait_for_each_other(keeping: Keeping, books: Books) -> None:
    async with books.opened(["ann"]):
        async with asyncio.timeout(60):
            await keeping.keep(Facts((agreed("bob"),)), await keeping.fence())
    assert (await keeping.look("bob")).plan == "pro"


async def test_an_event_names_the_invoice_and_what_came_of_it(keeping: Keeping, connections: Pool) -> None:
    await keep(keeping, agreed(id=str(uuid4())), payments=(paid(refunded=100),))
    found = await connections.fetch("SELECT payload FROM outbox ORDER BY seq")
    envelopes = [Envelope.FromString(row["payload"]) for row in found]
    assert [(one.type, one.subject) for one in envelopes] == [
        ("payment.succeeded", "users/ann"),
        ("payment.refunded", "users/ann"),
        ("subscription.created", "users/ann"),
    ]
