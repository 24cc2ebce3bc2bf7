"""quota_svc as billing_svc meets it: at the wire, with faults that a test sets, and each request's effect once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.message import Message

from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc


class QuotaDesk(quota_pb2_grpc.QuotaServiceServicer):
    """`told` is every request that came, `effects` are those that changed something, by their request id.

    `fault`, while it is set, answers every call; `lost` loses so many answers after the effect. `reused` are the ids
    under which something else came than before.
    """

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.effects: dict[str, Message] = {}
        self.reused: list[str] = []
        self.fault: grpc.StatusCode | None = None
        self.lost = 0

    async def SetPlan(self, request: quota_pb2.SetPlanRequest, context: Any) -> quota_pb2.PlanChange:
        await self._take(request, request.request_id, context)
        return quota_pb2.PlanChange(plan=request.plan)

    async def Grant(self, request: quota_pb2.GrantRequest, context: Any) -> quota_pb2.Credit:
        await self._take(request, request.request_id, context)
        return quota_pb2.Credit(name=f"{request.parent}/credits/{request.request_id}", amount=request.amount)

    async def Adjust(self, request: quota_pb2.AdjustRequest, context: Any) -> quota_pb2.Adjustment:
        await self._take(request, request.request_id, context)
        return quota_pb2.Adjustment(amount=request.amount)

    async def _take(self, request: Message, request_id: str, context: Any) -> None:
        self.told.append(request)
        if self.fault is not None:
            await context.abort(self.fault, "the test wants it so")
        if self.effects.setdefault(request_id, request) != request:
            self.reused.append(request_id)
            await context.abort(grpc.StatusCode.ALREADY_EXISTS, "the id is that of another request")
        if self.lost:
            self.lost -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the answer was lost")

    def plan(self, user: str) -> str:
        """The plan that a user was put on last."""
        changes = [one for one in self.effects.values() if isinstance(one, quota_pb2.SetPlanRequest)]
        return next((one.plan for one in reversed(changes) if one.parent == f"users/{user}"), "plans/free")

    def credits(self, user: str) -> int:
        """What was given to a user, less what was taken back."""
        moved = (quota_pb2.GrantRequest, quota_pb2.AdjustRequest)
        mine = [one for one in self.effects.values() if isinstance(one, moved) and one.parent == f"users/{user}"]
        return sum(one.amount for one in mine)


@asynccontextmanager
async def serving(desk: QuotaDesk) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to `desk`, served while the block runs."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    quota_pb2_grpc.add_QuotaServiceServicer_to_server(desk, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield channel
    finally:
        await server.stop(0)
