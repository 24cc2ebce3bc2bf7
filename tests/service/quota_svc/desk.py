"""quota_svc as its callers meet it: as chat, as billing, as the edge, as a person, as an operator."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import grpc
import pytest

from runtime.status import detail, error_info
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.quota_svc.sweeping import Sweeping
from tests.harness.serving import Dial

if TYPE_CHECKING:
    from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceAsyncStub

HELD = quota_pb2.HOLD_STATE_HELD
SETTLED = quota_pb2.HOLD_STATE_SETTLED
RELEASED = quota_pb2.HOLD_STATE_RELEASED
EXPIRED = quota_pb2.HOLD_STATE_EXPIRED
VOIDED = quota_pb2.HOLD_STATE_VOIDED


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def person(user: str = "ann") -> tuple[tuple[str, str], ...]:
    """Metadata as the edge writes it for a person."""
    return (("x-user-id", user),)


def operator(user: str = "root") -> tuple[tuple[str, str], ...]:
    """Metadata as the edge writes it for an operator."""
    return (("x-user-id", user), ("x-user-role", "operator"))


def amounts(units: dict[str, int]) -> list[quota_pb2.Amount]:
    return [quota_pb2.Amount(meter=meter, amount=amount) for meter, amount in units.items()]


@dataclass
class Desk:
    """One quota_svc, and the clock that it looks at. Everybody's short way is ann's `chat` meter."""

    dial: Dial
    clock: Clock
    sweeping: Sweeping
    _stubs: dict[str, QuotaServiceAsyncStub] = field(default_factory=dict)

    def stub(self, peer: str) -> QuotaServiceAsyncStub:
        """A client with the certificate of that member of the mesh."""
        if peer not in self._stubs:
            self._stubs[peer] = QuotaServiceStub(self.dial(peer))
        return self._stubs[peer]

    @property
    def chat(self) -> QuotaServiceAsyncStub:
        return self.stub("chat")

    @property
    def billing(self) -> QuotaServiceAsyncStub:
        return self.stub("billing")

    @property
    def edge(self) -> QuotaServiceAsyncStub:
        return self.stub("edge")

    def reserve_request(
        self,
        units: int | dict[str, int] = 1,
        *,
        user: str = "ann",
        seconds: int = 60,
        request_id: UUID | None = None,
        **more: Any,
    ) -> quota_pb2.ReserveRequest:
        return quota_pb2.ReserveRequest(
            parent=f"users/{user}",
            request_id=str(request_id or uuid4()),
            amounts=amounts(units if isinstance(units, dict) else {"chat": units}),
            time_to_live=timedelta(seconds=seconds),
            **more,
        )

    async def reserve(self, units: int | dict[str, int] = 1, **more: Any) -> quota_pb2.ReserveResponse:
        return await self.chat.Reserve(self.reserve_request(units, **more))

    async def hold(self, units: int | dict[str, int] = 1, **more: Any) -> quota_pb2.Hold:
        return (await self.reserve(units, **more)).hold

    async def extend(self, hold: quota_pb2.Hold, units: int | dict[str, int], **more: Any) -> quota_pb2.ReserveResponse:
        total = amounts(units if isinstance(units, dict) else {"chat": units})
        return await self.chat.ExtendHold(quota_pb2.ExtendHoldRequest(name=hold.name, amounts=total, **more))

    async def settle(
        self, hold: quota_pb2.Hold, units: int | dict[str, int], usage: quota_pb2.Usage | None = None
    ) -> quota_pb2.Hold:
        used = amounts(units if isinstance(units, dict) else {"chat": units})
        return await self.chat.Settle(quota_pb2.SettleRequest(name=hold.name, amounts=used, usage=usage))

    async def release(self, hold: quota_pb2.Hold) -> quota_pb2.Hold:
        return await self.chat.Release(quota_pb2.ReleaseRequest(name=hold.name))

    async def void(self, hold: quota_pb2.Hold, reason: str = "stuck") -> quota_pb2.Hold:
        request = quota_pb2.VoidHoldRequest(name=hold.name, reason=reason)
        return await self.edge.VoidHold(request, metadata=operator())

    async def grant(
        self, amount: int, *, user: str = "ann", meter: str = "chat", request_id: UUID | None = None, **more: Any
    ) -> quota_pb2.Credit:
        request = quota_pb2.GrantRequest(
            parent=f"users/{user}",
            request_id=str(request_id or uuid4()),
            meter=meter,
            amount=amount,
            **{"source": quota_pb2.SOURCE_PURCHASE, **more},
        )
        return await self.billing.Grant(request)

    async def adjust(
        self, amount: int, *, user: str = "ann", meter: str = "chat", request_id: UUID | None = None, **more: Any
    ) -> quota_pb2.Adjustment:
        request = quota_pb2.AdjustRequest(
            parent=f"users/{user}",
            request_id=str(request_id or uuid4()),
            meter=meter,
            amount=amount,
            **{"reason": quota_pb2.ADJUSTMENT_REASON_REFUND, **more},
        )
        return await self.billing.Adjust(request)

    async def set_plan(
        self, plan: str, *, user: str = "ann", request_id: UUID | None = None, **more: Any
    ) -> quota_pb2.PlanChange:
        request = quota_pb2.SetPlanRequest(
            parent=f"users/{user}", request_id=str(request_id or uuid4()), plan=plan, **more
        )
        return await self.billing.SetPlan(request)

    async def quota(
        self, name: str = "users/me/quota", user: str = "ann", at: datetime | None = None
    ) -> quota_pb2.Quota:
        return await self.edge.GetQuota(quota_pb2.GetQuotaRequest(name=name, read_time=at), metadata=person(user))

    async def meter(self, meter: str = "chat", user: str = "ann", at: datetime | None = None) -> quota_pb2.Decision:
        return next(one for one in (await self.quota(user=user, at=at)).meters if one.meter == meter)

    async def entries(self, *, user: str = "ann", **more: Any) -> quota_pb2.ListEntriesResponse:
        request = quota_pb2.ListEntriesRequest(**{"parent": "users/me", **more})
        return await self.edge.ListEntries(request, metadata=person(user))


def told(error: grpc.aio.AioRpcError) -> tuple[str, str]:
    """The code and the reason of a refusal."""
    return error.code().name, error_info(error).reason


def decision(error: grpc.aio.AioRpcError) -> quota_pb2.Decision:
    """The Decision that a refusal carries."""
    found = detail(error, quota_pb2.Decision)
    assert found is not None
    return found


async def refused(call: Awaitable[object]) -> grpc.aio.AioRpcError:
    """The refusal that the call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    return refusal.value


async def reason(call: Awaitable[object]) -> tuple[str, str]:
    """The code and the reason of the refusal that the call ends with."""
    return told(await refused(call))
