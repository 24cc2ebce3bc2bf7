"""What nobody foresaw in what billing says of the plans ends no process."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from scenemesh.billing.v1 import billing_pb2
from services.quota_svc.plans import Plans
from tests.unit.quota_svc.customer import METERS

WAIT_SECONDS = 60.0
NO_SPAN = 2**62


def answer(context_tokens: int, window_seconds: int) -> billing_pb2.ListPlansResponse:
    """One plan, in whose window no calendar can reckon when it is large."""
    said = billing_pb2.ListPlansResponse()
    plan = said.plans.add(name="plans/free", display_name="Free", context_tokens=context_tokens)
    allowance = plan.allowances.add(meter="story", amount=4, period=billing_pb2.PERIOD_ROLLING)
    allowance.window.seconds = window_seconds
    return said


class Billing:
    """Says what it is to say, one after another, and from then on the last."""

    def __init__(self, *says: billing_pb2.ListPlansResponse) -> None:
        self._says = [*says]

    def unary_unary(self, _: str, **__: object) -> Callable[..., Awaitable[billing_pb2.ListPlansResponse]]:
        return self._say

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None

    async def _say(self, _: object, **__: object) -> billing_pb2.ListPlansResponse:
        return self._says.pop(0) if len(self._says) > 1 else self._says[0]


async def test_a_defect_in_refreshing_the_plans_leaves_the_last_and_is_tried_again() -> None:
    with pytest.raises(OverflowError):
        answer(2, NO_SPAN).plans[0].allowances[0].window.ToTimedelta()
    billing: Any = Billing(answer(1, 60), answer(2, NO_SPAN), answer(3, 120))
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
        plans = await Plans.first(billing, METERS)
        refreshing = tasks.create_task(plans.refreshing(every_seconds=0.0))
        seen: list[int] = []
        while not seen or seen[-1] != 3:
            seen.append(plans.tariff().plans.plan("plans/free").context_tokens)
            await asyncio.sleep(0)
        refreshing.cancel()
    allowance = plans.tariff().allowance("plans/free", "story")
    assert set(seen) == {1, 3}
    assert allowance is not None
    assert allowance.window == timedelta(minutes=2)
