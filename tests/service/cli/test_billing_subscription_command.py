import jwt
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import FailedPrecondition
from scenemesh.billing.v1 import billing_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_billing import FREE, LATER, NOON, PRO, STRIPE, Billing, dollars

STORE = billing_pb2.Agreement(
    provider=billing_pb2.PROVIDER_REVENUECAT,
    id="rc_1",
    plan="plans/creator",
    interval=billing_pb2.INTERVAL_WEEK,
    state=billing_pb2.SUBSCRIPTION_STATE_CANCELLED,
    period_end_time=NOON,
    in_force=True,
)
UP = billing_pb2.SubscriptionChange(
    subscription=PRO, effective_time=NOON, amount_due=dollars(700), credited=dollars(299)
)
DOWN = billing_pb2.SubscriptionChange(subscription=PRO, effective_time=LATER, amount_due=dollars(0))
PRO_ROWS = [["Plan", "pro, by the month"], ["State", "active"], ["Sold by", "stripe"], ["Renews", "2026-12-22 12:00"]]


def standing(state: billing_pb2.SubscriptionState, **more: object) -> billing_pb2.Subscription:
    told = billing_pb2.Subscription(**more)  # type: ignore[arg-type]
    told.name, told.plan, told.state, told.provider = FREE.name, "plans/pro", state, STRIPE
    told.period_end_time.CopyFrom(LATER)
    return told


async def test_who_never_bought_anything_is_on_the_free_plan(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.GetSubscriptionRequest, FREE)
    ran = await buyer("billing", "subscription")
    assert (ran.code, ran.err, rows(ran.out)) == (0, "", [["Plan", "free"], ["State", "active"]])
    assert billing.requests == [billing_pb2.GetSubscriptionRequest(name="users/me/subscription")]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (PRO, PRO_ROWS[2:]),
        (
            standing(
                billing_pb2.SUBSCRIPTION_STATE_CANCELLED,
                next_plan="plans/creator",
                next_interval=billing_pb2.INTERVAL_WEEK,
            ),
            [["In force until", "2026-12-22 12:00"], ["From then on", "creator, by the week"]],
        ),
        (
            standing(billing_pb2.SUBSCRIPTION_STATE_PAST_DUE, grace_end_time=LATER),
            [["Paid until", "2026-12-22 12:00"], ["Unpaid, in force until", "2026-12-22 12:00"]],
        ),
        (
            standing(billing_pb2.SUBSCRIPTION_STATE_PAUSED, resume_time=LATER),
            [["In force until", "2026-12-22 12:00"], ["Resumes", "2026-12-22 12:00"]],
        ),
        (
            standing(billing_pb2.SUBSCRIPTION_STATE_TRIALING),
            [["Sold by", "stripe"], ["Free until", "2026-12-22 12:00"]],
        ),
    ],
    ids=("active", "cancelled", "past due", "paused", "trialing"),
)
async def test_a_subscription_says_what_its_end_means(
    buyer: Command, billing: Billing, told: billing_pb2.Subscription, shown: list[list[str]]
) -> None:
    billing.answer(billing_pb2.GetSubscriptionRequest, told)
    assert rows((await buyer("billing", "subscription")).out)[-2:] == shown


async def test_who_pays_twice_is_told(buyer: Command, billing: Billing) -> None:
    twice = billing_pb2.Subscription(agreements=[STORE])
    billing.answer(billing_pb2.GetSubscriptionRequest, merged(PRO, twice))
    ran = await buyer("billing", "subscription", "--of", "alice", "--user", "olga")
    assert rows(ran.out)[-2:] == [
        ["stripe sub_1", "pro, by the month", "active", "2026-12-22 12:00", "yes"],
        ["revenuecat rc_1", "creator, by the week", "cancelled", "2026-11-22 12:00", "yes"],
    ]
    assert ran.out.splitlines()[-1].strip() == "You pay for more than one of these: only the first one counts."
    assert jwt.decode(billing.tokens[0], options={"verify_signature": False})["role"] == "operator"


def merged(*parts: billing_pb2.Subscription) -> billing_pb2.Subscription:
    whole = billing_pb2.Subscription()
    for part in parts:
        whole.MergeFrom(part)
    return whole


async def test_a_change_says_what_it_costs_and_asks_first(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.ChangeSubscriptionRequest, UP)
    ran = await buyer("billing", "change", "pro", "--interval", "month", stdin="y\n")
    assert (ran.code, rows(ran.out)) == (0, PRO_ROWS)
    offer = "pro by the month at once; 7.00 USD is due now; 2.99 USD for the unused rest is counted in already."
    assert ran.out.splitlines()[0] == offer
    asked, done = billing.requests
    assert asked == billing_pb2.ChangeSubscriptionRequest(
        name="users/me/subscription", plan="plans/pro", interval=billing_pb2.INTERVAL_MONTH, validate_only=True
    )
    assert done.request_id
    asked.ClearField("validate_only")
    done.ClearField("request_id")
    assert done == asked


async def test_who_says_no_has_changed_nothing(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.ChangeSubscriptionRequest, DOWN)
    ran = await buyer("billing", "change", "creator", "--interval", "week", stdin="n\n")
    assert ran.code == 1
    assert ran.out.splitlines()[0] == "creator by the week from 2026-12-22 12:00 on; nothing is due now."
    assert [request.validate_only for request in billing.requests] == [True]


async def test_a_change_keeps_the_interval_unless_another_is_said(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.GetSubscriptionRequest, standing(PRO.state, interval=billing_pb2.INTERVAL_WEEK))
    billing.answer(billing_pb2.ChangeSubscriptionRequest, UP)
    ran = await buyer("billing", "change", "max", "--preview", "--json")
    assert (ran.code, ran.json["amount_due"]["units"]) == (0, "7")
    _, asked = billing.requests
    assert (asked.plan, asked.interval, asked.validate_only) == ("plans/max", billing_pb2.INTERVAL_WEEK, True)


async def test_yes_asks_nothing(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.ChangeSubscriptionRequest, UP)
    ran = await buyer("billing", "change", "pro", "--interval", "month", "--yes", "--json")
    assert (ran.code, ran.json["subscription"]["plan"]) == (0, "plans/pro")
    assert [request.validate_only for request in billing.requests] == [False]


async def test_a_program_says_whether_it_means_it(buyer: Command, billing: Billing) -> None:
    ran = await buyer("billing", "change", "pro", "--json")
    assert (ran.code, ran.json["error"]["code"], billing.requests) == (2, "INVALID_ARGUMENT", [])


@pytest.mark.parametrize("now", [False, True])
async def test_a_subscription_is_cancelled(buyer: Command, billing: Billing, now: bool) -> None:
    billing.answer(billing_pb2.CancelSubscriptionRequest, standing(billing_pb2.SUBSCRIPTION_STATE_CANCELLED))
    ran = await buyer("billing", "cancel", *(["--now"] if now else []))
    assert (ran.code, rows(ran.out)[1]) == (0, ["State", "cancelled"])
    assert billing.requests[0].immediately == now


async def test_a_subscription_is_paused_until_a_day_and_resumed(buyer: Command, billing: Billing) -> None:
    billing.answer(billing_pb2.PauseSubscriptionRequest, standing(billing_pb2.SUBSCRIPTION_STATE_PAUSED))
    billing.answer(billing_pb2.ResumeSubscriptionRequest, PRO)
    paused = await buyer("billing", "pause", "--until", "2026-12-01")
    resumed = await buyer("billing", "resume")
    assert (rows(paused.out)[1], rows(resumed.out)[1]) == (["State", "paused"], ["State", "active"])
    pause, resume = billing.requests
    assert (pause.resume_time, pause.request_id != resume.request_id) == (Timestamp(seconds=1_796_083_200), True)


@pytest.mark.parametrize("wrong", [("pause", "--until", "tomorrow"), ("change",), ("cancel", "--nonsense")])
async def test_what_makes_no_sense_changes_nothing(buyer: Command, billing: Billing, wrong: tuple[str, ...]) -> None:
    ran = await buyer("billing", *wrong)
    assert (ran.code, billing.requests) == (2, [])


async def test_what_a_store_sold_is_not_changed_here(buyer: Command, billing: Billing) -> None:
    refusal = FailedPrecondition("The App Store sold it.", reason="MANAGED_BY_STORE")
    billing.answer(billing_pb2.CancelSubscriptionRequest, refusal)
    ran = await buyer("billing", "cancel")
    assert (ran.code, ran.err.splitlines()) == (
        1,
        ["scenemesh: The App Store sold it.", "Where it was bought is where it is changed."],
    )
