"""billing_svc as quota_svc meets it: at the wire, with answers and faults that a test sets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import grpc

from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc

DAY, MONTH = billing_pb2.PERIOD_DAY, billing_pb2.PERIOD_MONTH
Allowance = billing_pb2.Allowance

PLANS = (
    billing_pb2.Plan(
        name="plans/free",
        display_name="Free",
        allowances=[Allowance(meter="chat", amount=5, period=DAY)],
        context_tokens=12_000,
    ),
    billing_pb2.Plan(
        name="plans/ten",
        display_name="Ten",
        allowances=[Allowance(meter="chat", amount=10, period=DAY)],
        context_tokens=32_000,
    ),
    billing_pb2.Plan(
        name="plans/pro",
        display_name="Pro",
        allowances=[
            Allowance(meter="chat", unlimited=True, period=DAY),
            Allowance(meter="image_generation", amount=5, period=MONTH),
        ],
        context_tokens=64_000,
    ),
)


class Billing(billing_pb2_grpc.BillingServiceServicer):
    """`subscriptions` are by user; `fault`, while it is set, answers every call; `asked` counts the calls by method."""

    def __init__(self) -> None:
        self.plans = deepcopy(list(PLANS))
        self.subscriptions: dict[str, billing_pb2.Subscription] = {}
        self.fault: grpc.StatusCode | None = None
        self.asked = {"ListPlans": 0, "GetSubscription": 0}

    def subscribe(
        self, user: str, plan: str, state: billing_pb2.SubscriptionState = billing_pb2.SUBSCRIPTION_STATE_ACTIVE
    ) -> None:
        self.subscriptions[user] = billing_pb2.Subscription(name=f"users/{user}/subscription", plan=plan, state=state)

    async def ListPlans(self, request: billing_pb2.ListPlansRequest, context: Any) -> billing_pb2.ListPlansResponse:
        await self._begin("ListPlans", context)
        return billing_pb2.ListPlansResponse(plans=self.plans)

    async def GetSubscription(
        self, request: billing_pb2.GetSubscriptionRequest, context: Any
    ) -> billing_pb2.Subscription:
        await self._begin("GetSubscription", context)
        free = billing_pb2.Subscription(
            name=request.name, plan="plans/free", state=billing_pb2.SUBSCRIPTION_STATE_ACTIVE
        )
        return self.subscriptions.get(request.name.split("/")[1], free)

    async def _begin(self, method: str, context: Any) -> None:
        self.asked[method] += 1
        if self.fault is not None:
            await context.abort(self.fault, "the test wants it so")


@asynccontextmanager
async def serving(billing: Billing) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `billing`, served while the block runs."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    billing_pb2_grpc.add_BillingServiceServicer_to_server(billing, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0)
