"""billing_svc as quota_svc meets it: at the wire, with answers and faults that a test sets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc

DAY, MONTH, ROLLING = billing_pb2.PERIOD_DAY, billing_pb2.PERIOD_MONTH, billing_pb2.PERIOD_ROLLING
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
    billing_pb2.Plan(
        name="plans/odd",
        display_name="Odd",
        allowances=[
            Allowance(meter="chat", amount=3, period=ROLLING, window=Duration(seconds=10_800)),
            Allowance(meter="story", amount=2, period=DAY, shadow=True),
            Allowance(meter="video", amount=10, period=MONTH, rollover=4),
        ],
        context_tokens=64_000,
    ),
)


class Billing(billing_pb2_grpc.BillingServiceServicer):
    """`fault`, while it is set, answers every call; `asked` counts the calls."""

    def __init__(self) -> None:
        self.plans = deepcopy(list(PLANS))
        self.fault: grpc.StatusCode | None = None
        self.asked = 0

    async def ListPlans(self, request: billing_pb2.ListPlansRequest, context: Any) -> billing_pb2.ListPlansResponse:
        self.asked += 1
        if self.fault is not None:
            await context.abort(self.fault, "the test wants it so")
        return billing_pb2.ListPlansResponse(plans=self.plans)


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
