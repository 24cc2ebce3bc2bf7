import asyncio

import grpc
import pytest
from structlog.testing import capture_logs

from scenemesh.billing.v1 import billing_pb2
from services.quota_svc.plans import Plans
from tests.service.quota_svc.billing import Billing
from tests.service.quota_svc.desk import Desk, told

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
PATIENCE_SECONDS = 5


async def test_billing_is_asked_for_the_plans_until_it_answers(
    billing: Billing, billing_channel: grpc.aio.Channel
) -> None:
    billing.fault = UNAVAILABLE
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(Plans.first(billing_channel, retry_seconds=0.01))
        while billing.asked["ListPlans"] < 3:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        billing.fault = None
    assert waiting.result().table.plan("plans/pro").context_tokens == 64_000


async def test_the_plans_are_refreshed_and_the_last_good_ones_stay(
    billing: Billing, billing_channel: grpc.aio.Channel
) -> None:
    plans = await Plans.first(billing_channel)
    refreshing = asyncio.create_task(plans.refreshing(every_seconds=0.01))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            billing.plans[0].context_tokens = 13_000
            while plans.table.plan("plans/free").context_tokens != 13_000:
                await asyncio.sleep(0.01)
            good = plans.table
            for faults in (UNAVAILABLE, None):
                billing.fault, billing.plans[0].name = faults, "plans/none"
                asked = billing.asked["ListPlans"]
                while billing.asked["ListPlans"] < asked + 3:
                    await asyncio.sleep(0.01)
            assert plans.table is not None
            assert plans.table.plan("plans/free") == good.plan("plans/free")
    finally:
        refreshing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refreshing


async def test_a_period_that_is_unknown_here_leaves_the_last_good_plans(
    billing: Billing, billing_channel: grpc.aio.Channel
) -> None:
    billing.plans[0].allowances[0].period = 9  # type: ignore[assignment]
    with capture_logs() as lines, pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await Plans.first(billing_channel, retry_seconds=0.01)
    assert lines[0]["error"] == "plans/free gives chat in a period that is unknown here: 9"


async def test_billing_is_asked_once_when_an_account_is_opened_and_again_after_a_minute(desk: Desk) -> None:
    await desk.reserve()
    await desk.quota()
    assert desk.billing.asked["GetSubscription"] == 1
    desk.billing.subscribe("ann", "plans/pro")
    desk.clock.forward(seconds=59)
    assert (await desk.quota()).plan == "plans/free"
    desk.clock.forward(seconds=1)
    assert (await desk.reserve()).entitlement.plan == "plans/pro"
    assert (await desk.quota()).plan == "plans/pro"
    assert desk.billing.asked["GetSubscription"] == 2


async def test_a_failed_refresh_keeps_the_old_plan_for_another_minute(desk: Desk) -> None:
    desk.billing.subscribe("ann", "plans/pro")
    await desk.quota()
    desk.billing.fault = UNAVAILABLE
    desk.clock.forward(seconds=60)
    with capture_logs() as lines:
        assert (await desk.reserve(100)).entitlement.plan == "plans/pro"
        assert (await desk.quota()).plan == "plans/pro"
    assert [line["log_level"] for line in lines if line["event"] == "plan not refreshed"] == ["warning"]
    assert desk.billing.asked["GetSubscription"] == 2


async def test_without_billing_no_account_is_opened(desk: Desk) -> None:
    desk.billing.fault = UNAVAILABLE
    for call in (desk.reserve(), desk.quota()):
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call
        assert told(refusal.value) == ("UNAVAILABLE", "BILLING_UNAVAILABLE")
    desk.billing.fault = None
    assert (await desk.quota()).plan == "plans/free"


@pytest.mark.parametrize(
    ("plan", "state", "counts"),
    [
        ("plans/pro", billing_pb2.SUBSCRIPTION_STATE_ACTIVE, "plans/pro"),
        ("plans/pro", billing_pb2.SUBSCRIPTION_STATE_CANCELLED, "plans/pro"),
        ("plans/pro", billing_pb2.SUBSCRIPTION_STATE_PAUSED, "plans/free"),
        ("plans/retired", billing_pb2.SUBSCRIPTION_STATE_ACTIVE, "plans/free"),
    ],
)
async def test_the_plan_that_counts_follows_from_the_subscription(
    desk: Desk, plan: str, state: billing_pb2.SubscriptionState, counts: str
) -> None:
    desk.billing.subscribe("ann", plan, state)
    assert (await desk.quota()).plan == counts
