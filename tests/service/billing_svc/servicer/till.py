"""BillingService as the web app calls it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.message import Message

from runtime.status import error_info
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.domain.facts import Facts
from services.billing_svc.keeping import Keeping

if TYPE_CHECKING:
    from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceAsyncStub

WEEK, MONTH, YEAR = billing_pb2.INTERVAL_WEEK, billing_pb2.INTERVAL_MONTH, billing_pb2.INTERVAL_YEAR


def whoever(user: str) -> tuple[tuple[str, str], ...]:
    """A person's headers."""
    return (("x-user-id", user),)


OPERATOR = (("x-user-id", "root"), ("x-user-role", "operator"))


class Till:
    """Calls for one person; every call has a request id of its own unless it is given one."""

    def __init__(
        self, stub: BillingServiceAsyncStub, keeping: Keeping, metadata: tuple[tuple[str, str], ...] = whoever("ann")
    ) -> None:
        self.stub = stub
        self._keeping = keeping
        self._metadata = metadata

    def by(self, metadata: tuple[tuple[str, str], ...]) -> Till:
        """The same for somebody else."""
        return Till(self.stub, self._keeping, metadata)

    async def kept(self, *agreements: Any, payments: tuple[Any, ...] = ()) -> None:
        """Something that a provider has said before."""
        await self._keeping.keep(Facts(agreements, payments), await self._keeping.fence())

    async def plans(self) -> billing_pb2.ListPlansResponse:
        return await self.stub.ListPlans(billing_pb2.ListPlansRequest(), metadata=self._metadata)

    async def subscription(self, name: str = "users/me/subscription") -> billing_pb2.Subscription:
        request = billing_pb2.GetSubscriptionRequest(name=name)
        return await self.stub.GetSubscription(request, metadata=self._metadata)

    async def checkout(self, **fields: Any) -> billing_pb2.CheckoutSession:
        wanted = {
            "parent": "users/me",
            "request_id": str(uuid4()),
            "success_url": "https://app.test/paid",
            "cancel_url": "https://app.test/plans",
        }
        if "pack" not in fields:
            wanted["plan"] = {"plan": "plans/pro", "interval": MONTH}  # type: ignore[assignment]
        request = billing_pb2.CreateCheckoutSessionRequest(**{**wanted, **fields})
        return await self.stub.CreateCheckoutSession(request, metadata=self._metadata)

    async def portal(self) -> billing_pb2.PortalSession:
        request = billing_pb2.CreatePortalSessionRequest(parent="users/me", return_url="https://app.test/account")
        return await self.stub.CreatePortalSession(request, metadata=self._metadata)

    async def change(self, plan: str, interval: billing_pb2.Interval, **fields: Any) -> billing_pb2.SubscriptionChange:
        wanted = {"name": "users/me/subscription", "request_id": str(uuid4()), "plan": plan, "interval": interval}
        request = billing_pb2.ChangeSubscriptionRequest(**{**wanted, **fields})
        return await self.stub.ChangeSubscription(request, metadata=self._metadata)

    async def cancel(self, **fields: Any) -> billing_pb2.Subscription:
        request = billing_pb2.CancelSubscriptionRequest(**_named(fields))
        return await self.stub.CancelSubscription(request, metadata=self._metadata)

    async def pause(self, **fields: Any) -> billing_pb2.Subscription:
        request = billing_pb2.PauseSubscriptionRequest(**_named(fields))
        return await self.stub.PauseSubscription(request, metadata=self._metadata)

    async def resume(self, **fields: Any) -> billing_pb2.Subscription:
        request = billing_pb2.ResumeSubscriptionRequest(**_named(fields))
        return await self.stub.ResumeSubscription(request, metadata=self._metadata)

    async def invoices(self, parent: str = "users/me", **fields: Any) -> billing_pb2.ListInvoicesResponse:
        request = billing_pb2.ListInvoicesRequest(parent=parent, **fields)
        return await self.stub.ListInvoices(request, metadata=self._metadata)

    async def buy(self, pack: str = "packs/small", **fields: Any) -> billing_pb2.Invoice:
        wanted = {"parent": "users/me", "request_id": str(uuid4()), "pack": pack}
        return await self.stub.BuyCredits(
            billing_pb2.BuyCreditsRequest(**{**wanted, **fields}), metadata=self._metadata
        )

    async def redeem(self, code: str, **fields: Any) -> billing_pb2.Redemption:
        wanted = {"parent": "users/me", "request_id": str(uuid4()), "code": code}
        request = billing_pb2.RedeemPromoCodeRequest(**{**wanted, **fields})
        return await self.stub.RedeemPromoCode(request, metadata=self._metadata)

    async def create_code(self, code: str, **fields: Any) -> billing_pb2.PromoCode:
        request = billing_pb2.CreatePromoCodeRequest(code=code, **{"gift": {"credits": 50}, **fields})
        return await self.stub.CreatePromoCode(request, metadata=OPERATOR)

    async def codes(self, **fields: Any) -> billing_pb2.ListPromoCodesResponse:
        return await self.stub.ListPromoCodes(billing_pb2.ListPromoCodesRequest(**fields), metadata=OPERATOR)


async def refusal(call: Awaitable[Message]) -> str:
    """The reason for which a call is refused, with its code."""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return f"{error.value.code().name} {error_info(error.value).reason}"


def _named(fields: dict[str, Any]) -> dict[str, Any]:
    return {"name": "users/me/subscription", "request_id": str(uuid4()), **fields}
