"""What is on offer, what a user has, and who may see it."""

from datetime import timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from runtime.status import error_info
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.plan import Interval, Provider
from tests.harness.serving import Dial
from tests.service.billing_svc.servicer.till import MONTH, OPERATOR, WEEK, YEAR, Till, refusal, whoever
from tests.service.billing_svc.shop import MONTH as A_MONTH
from tests.service.billing_svc.shop import NOW, Clock, agreed

STRIPE, PROMO = billing_pb2.PROVIDER_STRIPE, billing_pb2.PROVIDER_PROMO
ALL = [STRIPE, billing_pb2.PROVIDER_REVENUECAT, billing_pb2.PROVIDER_LEMON_SQUEEZY, billing_pb2.PROVIDER_CRYPTOMUS]
DAY = billing_pb2.PERIOD_DAY
ACTIVE = billing_pb2.SUBSCRIPTION_STATE_ACTIVE
PAST_DUE = billing_pb2.SUBSCRIPTION_STATE_PAST_DUE
PAUSED = billing_pb2.SUBSCRIPTION_STATE_PAUSED
FREE = billing_pb2.Subscription(name="users/ann/subscription", plan="plans/free", state=ACTIVE)


def dollars(units: int, cents: int = 0) -> Money:
    return Money(currency_code="USD", units=units, nanos=cents * 10_000_000)


async def test_anyone_may_list_what_is_on_offer_cheapest_first(dial: Dial) -> None:
    answer = await BillingServiceStub(dial("edge")).ListPlans(billing_pb2.ListPlansRequest())
    assert answer == billing_pb2.ListPlansResponse(
        plans=[
            billing_pb2.Plan(
                name="plans/free",
                display_name="Free",
                allowances=[billing_pb2.Allowance(meter="chat", amount=5, period=DAY)],
                context_tokens=12_000,
            ),
            billing_pb2.Plan(
                name="plans/creator",
                display_name="Creator",
                prices=[
                    billing_pb2.Price(interval=WEEK, amount=dollars(2, 99), providers=ALL),
                    billing_pb2.Price(interval=YEAR, amount=dollars(99, 99), credits=50, providers=ALL),
                ],
                allowances=[billing_pb2.Allowance(meter="chat", amount=50, period=DAY)],
                context_tokens=32_000,
            ),
            billing_pb2.Plan(
                name="plans/pro",
                display_name="Pro",
                prices=[
                    billing_pb2.Price(interval=MONTH, amount=dollars(14, 99), credits=20, providers=ALL),
                    billing_pb2.Price(interval=YEAR, amount=dollars(149, 99), credits=300, providers=ALL),
                ],
                allowances=[billing_pb2.Allowance(meter="chat", unlimited=True, period=DAY)],
                context_tokens=64_000,
                trial_days=7,
            ),
        ],
        packs=[
            billing_pb2.Pack(
                name="packs/small", display_name="100 credits", credits=100, amount=dollars(4, 99), providers=ALL
            ),
            billing_pb2.Pack(
                name="packs/large", display_name="1500 credits", credits=1500, amount=dollars(49, 99), providers=ALL
            ),
        ],
    )


async def test_quota_is_told_the_same_as_anyone(dial: Dial) -> None:
    anyone = await BillingServiceStub(dial("edge")).ListPlans(billing_pb2.ListPlansRequest())
    assert await BillingServiceStub(dial("quota")).ListPlans(billing_pb2.ListPlansRequest()) == anyone


async def test_a_caller_is_told_what_they_would_gain_and_may_try(till: Till) -> None:
    await till.kept(agreed(plan="creator", interval=Interval.YEAR, state=State.CANCELLED))
    told = [(one.standing, one.trial_days, one.allowances[0].gain) for one in (await till.plans()).plans]
    assert told == [
        (billing_pb2.STANDING_DOWNGRADE, 0, -45),
        (billing_pb2.STANDING_CURRENT, 0, 0),
        (billing_pb2.STANDING_UPGRADE, 7, 0),
    ]


@pytest.mark.parametrize(
    "had",
    [agreed(state=State.EXPIRED, trial=True), agreed(plan="creator", provider=Provider.REVENUECAT)],
    ids=["had a trial", "pays already"],
)
async def test_who_had_a_trial_or_pays_already_is_offered_none(till: Till, had: object) -> None:
    await till.kept(had)
    assert [one.trial_days for one in (await till.plans()).plans] == [0, 0, 0]


@pytest.mark.parametrize("name", ["users/me/subscription", "users/ann/subscription"])
async def test_who_never_bought_one_is_on_the_free_plan(till: Till, name: str) -> None:
    assert await till.subscription(name) == FREE


async def test_a_subscription_is_told_whole(till: Till) -> None:
    await till.kept(agreed(next_plan="creator", next_interval=Interval.WEEK))
    expected = billing_pb2.Subscription(
        name="users/ann/subscription",
        plan="plans/pro",
        state=ACTIVE,
        period_end_time=NOW + A_MONTH,
        provider=STRIPE,
        interval=MONTH,
        next_plan="plans/creator",
        next_interval=WEEK,
        agreements=[
            billing_pb2.Agreement(
                provider=STRIPE,
                id="sub_ann",
                plan="plans/pro",
                interval=MONTH,
                state=ACTIVE,
                period_end_time=NOW + A_MONTH,
                in_force=True,
            )
        ],
    )
    assert await till.subscription() == expected


async def test_of_two_agreements_the_better_plan_counts_and_the_other_stands_by(till: Till) -> None:
    await till.kept(agreed(), agreed(plan="creator", id="rc_1", provider=Provider.REVENUECAT, interval=Interval.WEEK))
    told = await till.subscription()
    assert (told.plan, told.provider) == ("plans/pro", STRIPE)
    assert [(one.id, one.plan, one.in_force) for one in told.agreements] == [
        ("sub_ann", "plans/pro", True),
        ("rc_1", "plans/creator", True),
    ]


async def test_an_unpaid_one_is_told_with_its_grace_and_falls_to_the_free_plan_after_it(
    till: Till, clock: Clock
) -> None:
    grace = NOW + timedelta(days=7)
    await till.kept(agreed(state=State.PAST_DUE, grace_end=grace))
    told = await till.subscription()
    assert (told.plan, told.state, told.grace_end_time) == ("plans/pro", PAST_DUE, _moment(grace))
    clock.now = grace
    told = await till.subscription()
    assert (told.plan, told.state, told.grace_end_time) == ("plans/free", PAST_DUE, _moment(grace))
    assert (told.provider, told.HasField("period_end_time")) == (billing_pb2.PROVIDER_UNSPECIFIED, False)
    assert [one.in_force for one in told.agreements] == [False]


async def test_a_paused_one_gives_what_it_gives_until_the_period_ends(till: Till, clock: Clock) -> None:
    back = NOW + 2 * A_MONTH
    await till.kept(agreed(state=State.PAUSED, resume_time=back))
    told = await till.subscription()
    assert (told.plan, told.state, told.resume_time) == ("plans/pro", PAUSED, _moment(back))
    clock.now = NOW + A_MONTH
    told = await till.subscription()
    assert (told.plan, told.state, told.resume_time) == ("plans/free", PAUSED, _moment(back))


async def test_a_cancelled_subscription_past_its_period_is_the_free_plan_again(till: Till, clock: Clock) -> None:
    await till.kept(agreed(state=State.CANCELLED))
    assert (await till.subscription()).state == billing_pb2.SUBSCRIPTION_STATE_CANCELLED
    clock.now = NOW + A_MONTH
    assert await till.subscription() == FREE


async def test_another_users_is_not_found_but_an_operator_may_look(till: Till) -> None:
    await till.kept(agreed())
    assert await refusal(till.by(whoever("bob")).subscription("users/ann/subscription")) == (
        "NOT_FOUND SUBSCRIPTION_NOT_FOUND"
    )
    assert (await till.by(OPERATOR).subscription("users/ann/subscription")).plan == "plans/pro"


@pytest.mark.parametrize(
    "call",
    [
        lambda till: till.change("plans/pro", MONTH, name="users/ann/subscription"),
        lambda till: till.cancel(name="users/ann/subscription"),
        lambda till: till.pause(name="users/ann/subscription"),
        lambda till: till.resume(name="users/ann/subscription"),
        lambda till: till.checkout(parent="users/ann"),
        lambda till: till.buy(parent="users/ann"),
        lambda till: till.redeem("WELCOME", parent="users/ann"),
    ],
    ids=["change", "cancel", "pause", "resume", "checkout", "buy", "redeem"],
)
@pytest.mark.parametrize("who", [whoever("bob"), OPERATOR], ids=["another user", "an operator"])
async def test_nobody_changes_what_is_anothers(till: Till, call: object, who: tuple[tuple[str, str], ...]) -> None:
    await till.kept(agreed())
    assert (await refusal(call(till.by(who)))).startswith("NOT_FOUND ")  # type: ignore[operator]


@pytest.mark.parametrize(("peer", "code"), [("quota", "PERMISSION_DENIED"), ("edge", "UNAUTHENTICATED")])
async def test_a_sibling_and_an_anonymous_caller_are_refused(dial: Dial, peer: str, code: str) -> None:
    stub = BillingServiceStub(dial(peer))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await stub.GetSubscription(billing_pb2.GetSubscriptionRequest(name="users/ann/subscription"))
    assert error.value.code().name == code


@pytest.mark.parametrize(
    "name", ["", "users/ann", "users//subscription", "users/a/b/subscription", "users/\0/subscription"]
)
async def test_a_name_that_is_none_is_refused_with_its_field(till: Till, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await till.subscription(name)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error_info(error.value).reason == "INVALID_ARGUMENT"
    assert "name: " in (error.value.details() or "")


def _moment(moment: object) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(moment)  # type: ignore[arg-type]
    return told
