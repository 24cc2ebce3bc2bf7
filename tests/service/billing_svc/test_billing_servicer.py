from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.type.money_pb2 import Money

from runtime.postgres import Pool
from runtime.status import error_info
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub
from tests.harness.serving import Dial

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ANN = (("x-user-id", "ann"),)

ACTIVE = billing_pb2.SUBSCRIPTION_STATE_ACTIVE
CANCELLED = billing_pb2.SUBSCRIPTION_STATE_CANCELLED
PAUSED = billing_pb2.SUBSCRIPTION_STATE_PAUSED


async def bought(connections: Pool, state: str, period_end: datetime | None) -> None:
    await connections.execute(
        "INSERT INTO subscriptions (user_id, plan, state, period_end) VALUES ('ann', 'pro', $1, $2)", state, period_end
    )


async def asked(dial: Dial, name: str = "users/me/subscription") -> billing_pb2.Subscription:
    stub = BillingServiceStub(dial("edge"))
    return await stub.GetSubscription(billing_pb2.GetSubscriptionRequest(name=name), metadata=ANN)


async def test_anyone_may_list_the_plans_cheapest_first(dial: Dial) -> None:
    answer = await BillingServiceStub(dial("edge")).ListPlans(billing_pb2.ListPlansRequest())
    assert [plan.name for plan in answer.plans] == ["plans/free", "plans/creator", "plans/pro", "plans/max"]
    assert answer.plans[1] == billing_pb2.Plan(
        name="plans/creator",
        display_name="Creator",
        prices=[
            billing_pb2.Price(
                interval=billing_pb2.INTERVAL_WEEK, amount=Money(currency_code="USD", units=2, nanos=990_000_000)
            ),
            billing_pb2.Price(
                interval=billing_pb2.INTERVAL_YEAR, amount=Money(currency_code="USD", units=99, nanos=990_000_000)
            ),
        ],
        allowances=[
            billing_pb2.Allowance(meter="chat", amount=50, period=billing_pb2.PERIOD_DAY),
            billing_pb2.Allowance(meter="chat_premium", amount=20, period=billing_pb2.PERIOD_MONTH, rollover=10),
            billing_pb2.Allowance(meter="image_generation", amount=2, period=billing_pb2.PERIOD_MONTH),
            billing_pb2.Allowance(meter="image_recognition", amount=4, period=billing_pb2.PERIOD_MONTH),
            billing_pb2.Allowance(meter="story", amount=10, period=billing_pb2.PERIOD_MONTH),
        ],
        context_tokens=32_000,
    )
    assert answer.plans[3].allowances[0] == billing_pb2.Allowance(
        meter="chat", unlimited=True, period=billing_pb2.PERIOD_DAY
    )


async def test_quota_may_list_the_plans(dial: Dial) -> None:
    answer = await BillingServiceStub(dial("quota")).ListPlans(billing_pb2.ListPlansRequest())
    assert len(answer.plans) == 4


@pytest.mark.parametrize("name", ["users/me/subscription", "users/ann/subscription"])
async def test_who_never_bought_one_is_on_the_free_plan(dial: Dial, name: str) -> None:
    assert await asked(dial, name) == billing_pb2.Subscription(
        name="users/ann/subscription", plan="plans/free", state=ACTIVE
    )


@pytest.mark.parametrize(("state", "told"), [("active", ACTIVE), ("cancelled", CANCELLED), ("paused", PAUSED)], ids=str)
async def test_a_subscription_is_told_with_its_state_and_its_end(
    dial: Dial, connections: Pool, state: str, told: billing_pb2.SubscriptionState
) -> None:
    end = NOW + timedelta(days=3)
    await bought(connections, state, end)
    expected = billing_pb2.Subscription(name="users/ann/subscription", plan="plans/pro", state=told)
    expected.period_end_time.FromDatetime(end)
    assert await asked(dial) == expected


async def test_a_cancelled_subscription_past_its_period_is_the_free_plan_again(dial: Dial, connections: Pool) -> None:
    await bought(connections, "cancelled", NOW)
    assert await asked(dial) == billing_pb2.Subscription(name="users/ann/subscription", plan="plans/free", state=ACTIVE)


async def test_another_users_subscription_is_not_found(dial: Dial) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await asked(dial, "users/bob/subscription")
    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert error_info(refusal.value).reason == "SUBSCRIPTION_NOT_FOUND"


@pytest.mark.parametrize(("peer", "code"), [("quota", "PERMISSION_DENIED"), ("edge", "UNAUTHENTICATED")])
async def test_a_sibling_and_an_anonymous_caller_are_refused(dial: Dial, peer: str, code: str) -> None:
    stub = BillingServiceStub(dial(peer))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.GetSubscription(billing_pb2.GetSubscriptionRequest(name="users/ann/subscription"))
    assert refusal.value.code().name == code


@pytest.mark.parametrize(
    "name", ["", "users/ann", "users//subscription", "users/a/b/subscription", "users/\0/subscription"]
)
async def test_a_name_that_is_none_is_refused_with_its_field(dial: Dial, name: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await asked(dial, name)
    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "name: " in (refusal.value.details() or "")
