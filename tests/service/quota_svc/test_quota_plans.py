"""The plan table that quota_svc goes by, and what happens while billing does not tell it."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from structlog.testing import capture_logs

from services.quota_svc.meters import meters
from services.quota_svc.plans import Plans
from tests.service.quota_svc.billing import Billing, serving
from tests.service.quota_svc.desk import Desk

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
PATIENCE_SECONDS = 60


@pytest.fixture
async def channel(billing: Billing) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(billing) as channel:
        yield channel


async def test_billing_is_asked_for_the_plans_until_it_answers(billing: Billing, channel: grpc.aio.Channel) -> None:
    billing.fault = UNAVAILABLE
    async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(Plans.first(channel, meters(), retry_seconds=0.01))
        while billing.asked < 3:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        billing.fault = None
    assert waiting.result().tariff().plans.plan("plans/pro").context_tokens == 64_000


async def test_the_plans_are_refreshed_and_the_last_good_ones_stay(billing: Billing, channel: grpc.aio.Channel) -> None:
    plans = await Plans.first(channel, meters())
    refreshing = asyncio.create_task(plans.refreshing(every_seconds=0.01))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            billing.plans[0].context_tokens = 13_000
            while plans.tariff().plans.plan("plans/free").context_tokens != 13_000:
                await asyncio.sleep(0.01)
            for fault in (UNAVAILABLE, None):
                billing.fault, billing.plans[0].name = fault, "plans/none"
                asked = billing.asked
                while billing.asked < asked + 3:
                    await asyncio.sleep(0.01)
            # What was under way when the table became bad may have come since, and was good.
            assert plans.tariff().plans.plan("plans/free").context_tokens == 13_000
    finally:
        refreshing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await refreshing


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("period", 9, "plans/free gives chat in a period that is unknown here: 9"),
        ("meter", "stars", "plans/free gives something on a meter that is unknown here: stars"),
    ],
)
async def test_a_table_that_cannot_be_reckoned_with_is_refused(
    billing: Billing, channel: grpc.aio.Channel, field: str, value: object, told: str
) -> None:
    setattr(billing.plans[0].allowances[0], field, value)
    with capture_logs() as lines:
        waiting = asyncio.create_task(Plans.first(channel, meters(), retry_seconds=0.01))
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # It may be asked more than twice: an answer that is late is logged, too, with its code.
                while billing.asked < 2 or not (refusals := [line for line in lines if "code" not in line]):
                    assert not waiting.done()
                    await asyncio.sleep(0.01)
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert refusals[0]["error"] == told


async def test_a_plan_that_is_no_longer_offered_counts_as_free_and_its_users_keep_what_they_bought(
    desk: Desk, billing: Billing, plans: Plans
) -> None:
    await desk.set_plan("plans/ten")
    await desk.settle(await desk.hold(7), 7)
    await desk.grant(3)
    billing.plans = [plan for plan in billing.plans if plan.name != "plans/ten"]
    refreshing = asyncio.create_task(plans.refreshing(every_seconds=0.01))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "plans/ten" in plans.tariff().plans:
                await asyncio.sleep(0.01)
    finally:
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
    quota = await desk.quota()
    assert (quota.plan, quota.meters[0].granted) == ("plans/free", 3)
    desk.clock.forward(days=1)
    meter = await desk.meter()
    assert (meter.limit, meter.granted, meter.remaining) == (5, 3, 8)
    assert (await desk.set_plan("plans/pro")).previous_plan == "plans/ten"
