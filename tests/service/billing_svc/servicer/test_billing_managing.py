"""Changing, cancelling, pausing and resuming what one has."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from runtime.errors import FailedPrecondition, Unavailable
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.plan import Interval, Provider
from tests.service.billing_svc.servicer.desks import ScriptedDesk
from tests.service.billing_svc.servicer.till import MONTH, WEEK, YEAR, Till, refusal
from tests.service.billing_svc.shop import MONTH as A_MONTH
from tests.service.billing_svc.shop import NOW, agreed, paid

CANCELLED = billing_pb2.SUBSCRIPTION_STATE_CANCELLED
PAUSED = billing_pb2.SUBSCRIPTION_STATE_PAUSED
ACTIVE = billing_pb2.SUBSCRIPTION_STATE_ACTIVE
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def dollars(units: int, cents: int = 0) -> Money:
    return Money(currency_code="USD", units=units, nanos=cents * 10_000_000)


def moment(time: datetime) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(time)
    return told


async def test_an_upgrade_is_in_force_and_charged_at_once(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed(plan="creator", interval=Interval.WEEK))
    told = await till.change("plans/pro", YEAR)
    assert stripe.asked == [("preview", "sub_ann", "pro", False), ("change", "sub_ann", "pro", "year", False)]
    assert told == billing_pb2.SubscriptionChange(
        subscription=await till.subscription(),
        effective_time=moment(NOW),
        amount_due=dollars(12),
        credited=dollars(2, 99),
    )
    assert (told.subscription.plan, told.subscription.interval) == ("plans/pro", YEAR)


async def test_a_downgrade_is_in_force_when_the_period_ends(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed())
    told = await till.change("plans/creator", WEEK)
    assert stripe.asked == [("preview", "sub_ann", "creator", True), ("change", "sub_ann", "creator", "week", True)]
    assert told == billing_pb2.SubscriptionChange(
        subscription=await till.subscription(),
        effective_time=moment(NOW + A_MONTH),
        amount_due=dollars(0),
        credited=dollars(0),
    )
    after = told.subscription
    assert (after.plan, after.next_plan, after.next_interval) == ("plans/pro", "plans/creator", WEEK)


async def test_a_longer_interval_is_an_upgrade_and_a_shorter_one_a_downgrade(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed())
    await till.change("plans/pro", YEAR)
    await till.change("plans/pro", MONTH)
    assert [asked[-1] for asked in stripe.asked if asked[0] == "change"] == [False, True]


async def test_moving_to_what_one_has_takes_a_planned_change_back(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed(next_plan="creator", next_interval=Interval.WEEK))
    told = await till.change("plans/pro", MONTH)
    assert stripe.asked == [("change", "sub_ann", "pro", "month", False)]
    assert (told.subscription.next_plan, told.amount_due, told.effective_time) == ("", dollars(0), moment(NOW))


@pytest.mark.parametrize(
    ("had", "reason"),
    [
        ((), "NOT_SUBSCRIBED"),
        ((agreed(),), "SAME_PLAN"),
        ((agreed(plan="creator", next_plan="pro", next_interval=Interval.MONTH),), "SAME_PLAN"),
        ((agreed(provider=Provider.REVENUECAT, plan="creator"),), "MANAGED_BY_STORE"),
        ((agreed(provider=Provider.LEMON_SQUEEZY, plan="creator"),), "MANAGED_BY_STORE"),
        ((agreed(provider=Provider.PROMO, plan="creator", state=State.CANCELLED),), "NOT_SUBSCRIBED"),
        ((agreed(provider=Provider.CRYPTOMUS, plan="creator", state=State.CANCELLED),), "NOT_SUBSCRIBED"),
        ((agreed(state=State.EXPIRED),), "NOT_SUBSCRIBED"),
        ((agreed(state=State.CANCELLED, plan="creator"),), "NOT_SUBSCRIBED"),
        ((agreed(state=State.PAUSED, plan="creator"),), "SUBSCRIPTION_NOT_ACTIVE"),
        ((agreed(state=State.PAST_DUE, plan="creator", grace_end=NOW + A_MONTH),), "SUBSCRIPTION_NOT_ACTIVE"),
    ],
    ids=["nothing", "the same", "planned", "app store", "lemon", "promo", "crypto", "over", "ends", "paused", "unpaid"],
)
async def test_what_cannot_be_changed_is_refused_with_the_reason(
    till: Till, stripe: ScriptedDesk, had: tuple[object, ...], reason: str
) -> None:
    await till.kept(*had)
    assert await refusal(till.change("plans/pro", MONTH)) == f"FAILED_PRECONDITION {reason}"
    assert await refusal(till.change("plans/pro", MONTH, validate_only=True)) == f"FAILED_PRECONDITION {reason}"
    assert stripe.asked == []


async def test_what_was_paid_back_is_not_changed_for_its_unused_rest(till: Till) -> None:
    await till.kept(agreed(plan="creator"), payments=(paid(refunded=1499),))
    assert await refusal(till.change("plans/pro", MONTH)) == "FAILED_PRECONDITION SUBSCRIPTION_NOT_ACTIVE"


@pytest.mark.parametrize("plan", ["plans/free", "plans/gold"])
async def test_a_plan_that_nobody_sells_is_not_found(till: Till, plan: str) -> None:
    await till.kept(agreed())
    assert await refusal(till.change(plan, MONTH)) == "NOT_FOUND PLAN_NOT_FOUND"


async def test_a_preview_changes_nothing_and_needs_no_request_id(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed(plan="creator", interval=Interval.WEEK))
    before = await till.subscription()
    told = await till.change("plans/pro", MONTH, validate_only=True, request_id="")
    assert told == billing_pb2.SubscriptionChange(
        subscription=before, effective_time=moment(NOW), amount_due=dollars(12), credited=dollars(2, 99)
    )
    assert stripe.asked == [("preview", "sub_ann", "pro", False)]
    assert await till.subscription() == before
    assert await refusal(till.change("plans/pro", MONTH, request_id="")) == "INVALID_ARGUMENT INVALID_ARGUMENT"


async def test_a_declined_payment_changes_nothing(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed(plan="creator"))
    before = await till.subscription()
    stripe.fault = FailedPrecondition("Declined.", reason="PAYMENT_DECLINED")
    assert await refusal(till.change("plans/pro", YEAR)) == "FAILED_PRECONDITION PAYMENT_DECLINED"
    assert await till.subscription() == before


async def test_a_change_whose_answer_was_lost_is_answered_when_it_is_asked_for_again(
    till: Till, stripe: ScriptedDesk
) -> None:
    await till.kept(agreed(plan="creator"))
    request_id = str(uuid4())
    stripe.lost = [Unavailable("Cut.", reason="PROVIDER_UNAVAILABLE")]
    assert await refusal(till.change("plans/pro", YEAR, request_id=request_id)) == "UNAVAILABLE PROVIDER_UNAVAILABLE"
    # Stripe's webhook comes before the retry.
    (facts,) = stripe.done.values()
    await till.kept(*facts.agreements)
    told = await till.change("plans/pro", YEAR, request_id=request_id)
    assert (told.subscription.plan, told.subscription.interval) == ("plans/pro", YEAR)
    assert len(stripe.done) == 1


async def test_a_cancelled_subscription_stands_until_the_period_ends(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed())
    told = await till.cancel()
    assert (told.plan, told.state, told.period_end_time) == ("plans/pro", CANCELLED, moment(NOW + A_MONTH))
    assert await till.cancel() == told
    assert stripe.asked == [("cancel", "sub_ann", False)]


async def test_one_that_is_cancelled_at_once_is_the_free_plan_and_stays_so(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed(state=State.CANCELLED))
    free = billing_pb2.Subscription(name="users/ann/subscription", plan="plans/free", state=ACTIVE)
    assert await till.cancel(immediately=True) == free
    assert await till.cancel(immediately=True) == free
    assert stripe.asked == [("cancel", "sub_ann", True)]


async def test_of_two_agreements_the_one_that_can_be_cancelled_here_is(till: Till, stripe: ScriptedDesk) -> None:
    store = agreed(id="rc_1", provider=Provider.REVENUECAT)
    await till.kept(store, agreed(plan="creator"))
    told = await till.cancel()
    assert [(one.id, one.state) for one in told.agreements] == [("rc_1", ACTIVE), ("sub_ann", CANCELLED)]
    assert await refusal(till.cancel()) == "FAILED_PRECONDITION MANAGED_BY_STORE"


async def test_one_is_paused_until_a_time_or_until_it_is_resumed(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed())
    told = await till.pause(resume_time=moment(LATER))
    assert (told.plan, told.state, told.resume_time) == ("plans/pro", PAUSED, moment(LATER))
    assert not (await till.pause()).HasField("resume_time")
    assert (await till.resume()).state == ACTIVE
    assert (await till.resume()).state == ACTIVE
    assert stripe.asked == [("pause", "sub_ann", LATER), ("pause", "sub_ann", None), ("resume", "sub_ann")]


async def test_a_cancellation_is_taken_back(till: Till, stripe: ScriptedDesk) -> None:
    await till.kept(agreed(state=State.CANCELLED))
    assert (await till.resume()).state == ACTIVE
    assert stripe.asked == [("resume", "sub_ann")]


@pytest.mark.parametrize("state", [State.PAST_DUE, State.CANCELLED], ids=str)
async def test_one_that_is_unpaid_or_ends_is_not_paused(till: Till, state: State) -> None:
    await till.kept(agreed(state=state, grace_end=NOW + A_MONTH))
    reason = "SUBSCRIPTION_NOT_ACTIVE" if state is State.PAST_DUE else "NOT_SUBSCRIBED"
    assert await refusal(till.pause()) == f"FAILED_PRECONDITION {reason}"


async def test_one_that_is_over_needs_a_new_checkout(till: Till) -> None:
    await till.kept(agreed(state=State.EXPIRED))
    assert await refusal(till.resume()) == "FAILED_PRECONDITION SUBSCRIPTION_ENDED"


@pytest.mark.parametrize("word", ["cancel", "pause", "resume"])
async def test_who_has_nothing_or_a_stores_is_told_so(till: Till, word: str) -> None:
    call = getattr(till, word)
    assert await refusal(call()) == "FAILED_PRECONDITION NOT_SUBSCRIBED"
    await till.kept(agreed(provider=Provider.CRYPTOMUS, state=State.CANCELLED))
    assert await refusal(call()) == "FAILED_PRECONDITION NOT_SUBSCRIBED"
    await till.kept(agreed(provider=Provider.REVENUECAT, id="rc_1"))
    assert await refusal(call()) == "FAILED_PRECONDITION MANAGED_BY_STORE"
