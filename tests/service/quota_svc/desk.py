"""quota_svc as its callers meet it: as chat, as billing, as a person through the edge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from runtime.status import error_info
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from tests.harness.serving import Dial
from tests.service.quota_svc.billing import Billing

if TYPE_CHECKING:
    from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceAsyncStub

HELD = quota_pb2.HOLD_STATE_HELD
SETTLED = quota_pb2.HOLD_STATE_SETTLED
RELEASED = quota_pb2.HOLD_STATE_RELEASED
EXPIRED = quota_pb2.HOLD_STATE_EXPIRED


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class Desk:
    """One quota_svc, the clock that it looks at, and the billing that it asks."""

    dial: Dial
    clock: Clock
    billing: Billing

    @property
    def chat(self) -> QuotaServiceAsyncStub:
        return QuotaServiceStub(self.dial("chat"))

    async def reserve(
        self,
        amount: int = 1,
        *,
        user: str = "ann",
        meter: str = "chat",
        seconds: int = 60,
        request_id: UUID | None = None,
    ) -> quota_pb2.ReserveResponse:
        request = quota_pb2.ReserveRequest(
            parent=f"users/{user}",
            request_id=str(request_id or uuid4()),
            meter=meter,
            amount=amount,
            time_to_live=timedelta(seconds=seconds),
        )
        return await self.chat.Reserve(request)

    async def hold(self, amount: int = 1, *, meter: str = "chat", seconds: int = 60) -> quota_pb2.Hold:
        return (await self.reserve(amount, meter=meter, seconds=seconds)).hold

    async def settle(self, hold: quota_pb2.Hold, amount: int, usage: quota_pb2.Usage | None = None) -> quota_pb2.Hold:
        return await self.chat.Settle(quota_pb2.SettleRequest(name=hold.name, amount=amount, usage=usage))

    async def release(self, hold: quota_pb2.Hold) -> quota_pb2.Hold:
        return await self.chat.Release(quota_pb2.ReleaseRequest(name=hold.name))

    async def grant(
        self, amount: int, *, user: str = "ann", meter: str = "chat", request_id: UUID | None = None
    ) -> quota_pb2.Entry:
        stub = QuotaServiceStub(self.dial("billing"))
        request = quota_pb2.GrantRequest(
            parent=f"users/{user}", request_id=str(request_id or uuid4()), meter=meter, amount=amount
        )
        return await stub.Grant(request)

    async def quota(self, name: str = "users/me/quota", user: str = "ann") -> quota_pb2.Quota:
        stub = QuotaServiceStub(self.dial("edge"))
        return await stub.GetQuota(quota_pb2.GetQuotaRequest(name=name), metadata=(("x-user-id", user),))

    async def meter(self, meter: str = "chat") -> quota_pb2.MeterQuota:
        return next(one for one in (await self.quota()).meters if one.meter == meter)

    async def entries(
        self, page_size: int = 0, page_token: str = "", *, parent: str = "users/me", user: str = "ann"
    ) -> quota_pb2.ListEntriesResponse:
        stub = QuotaServiceStub(self.dial("edge"))
        request = quota_pb2.ListEntriesRequest(parent=parent, page_size=page_size, page_token=page_token)
        return await stub.ListEntries(request, metadata=(("x-user-id", user),))


def told(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    """The code and the reason of a refusal."""
    return error.code().name, error_info(error).reason


def quota_failure(error: grpc.aio.AioRpcError) -> error_details_pb2.QuotaFailure:
    """The QuotaFailure that a refusal carries."""
    failure = error_details_pb2.QuotaFailure()
    status = rpc_status.from_call(error)
    assert status is not None
    assert any(detail.Unpack(failure) for detail in status.details)
    return failure
