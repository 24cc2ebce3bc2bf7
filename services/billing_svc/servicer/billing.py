"""BillingService."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import grpc

from runtime.context import caller
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from services.billing_svc.convert import invoices as invoices_convert
from services.billing_svc.convert import plans as plans_convert
from services.billing_svc.convert import promos as promos_convert
from services.billing_svc.convert import subscriptions as convert
from services.billing_svc.convert.words import slug_from_name, user_from_name
from services.billing_svc.domain.offering import buyer
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.managing import Managing
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.redeeming import Redeeming
from services.billing_svc.repeating import Repeating, asked
from services.billing_svc.selling import Selling
from services.billing_svc.servicer.reconcile import ReconcileRpcs
from services.billing_svc.store.promos import Promos
from services.billing_svc.store.reading import Invoices

Context = grpc.aio.ServicerContext


class BillingServicer(ReconcileRpcs, billing_pb2_grpc.BillingServiceServicer):
    """`clock` gives the present in UTC."""

    def __init__(
        self,
        catalogue: Catalogue,
        managing: Managing,
        selling: Selling,
        redeeming: Redeeming,
        invoices: Invoices,
        promos: Promos,
        repeating: Repeating,
        reconciling: Reconciling,
        clock: Callable[[], datetime],
    ) -> None:
        self._reconciling = reconciling
        self._catalogue = catalogue
        self._managing = managing
        self._selling = selling
        self._redeeming = redeeming
        self._invoices = invoices
        self._promos = promos
        self._repeating = repeating
        self._clock = clock

    async def ListPlans(
        self, request: billing_pb2.ListPlansRequest, context: Context[Any, Any]
    ) -> billing_pb2.ListPlansResponse:
        user = caller().user
        if user is None:
            return plans_convert.offer_to_proto(self._catalogue, None)
        agreements = await self._managing.agreements(user)
        return plans_convert.offer_to_proto(self._catalogue, buyer(user, agreements, self._catalogue, self._clock()))

    async def GetSubscription(
        self, request: billing_pb2.GetSubscriptionRequest, context: Context[Any, Any]
    ) -> billing_pb2.Subscription:
        user = _whose(request.name, "SUBSCRIPTION_NOT_FOUND", operators=True)
        return convert.subscription_to_proto(await self._managing.subscription(user), self._clock())

    async def CreateCheckoutSession(
        self, request: billing_pb2.CreateCheckoutSessionRequest, context: Context[Any, Any]
    ) -> billing_pb2.CheckoutSession:
        user = _whose(request.parent, "USER_NOT_FOUND")

        async def run(again: bool) -> billing_pb2.CheckoutSession:
            opened = await self._selling.checkout(
                convert.wish_from_proto(user, request), key=_key(user, request.request_id)
            )
            return convert.checkout_to_proto(user, opened.page, test_mode=opened.test_mode)

        return await self._repeating.once(asked(user, request), billing_pb2.CheckoutSession, run)

    async def CreatePortalSession(
        self, request: billing_pb2.CreatePortalSessionRequest, context: Context[Any, Any]
    ) -> billing_pb2.PortalSession:
        user = _whose(request.parent, "USER_NOT_FOUND")
        url, test_mode = await self._selling.portal(user, request.return_url)
        return billing_pb2.PortalSession(url=url, test_mode=test_mode)

    async def ChangeSubscription(
        self, request: billing_pb2.ChangeSubscriptionRequest, context: Context[Any, Any]
    ) -> billing_pb2.SubscriptionChange:
        user = _whose(request.name, "SUBSCRIPTION_NOT_FOUND")
        article = self._selling.plan(*convert.choice_from_proto(request), Provider.STRIPE)
        if request.validate_only:
            return convert.change_to_proto(await self._managing.preview(user, article), self._clock())

        async def run(again: bool) -> billing_pb2.SubscriptionChange:
            change = await self._managing.change(user, article, key=_key(user, request.request_id), again=again)
            return convert.change_to_proto(change, self._clock())

        return await self._repeating.once(asked(user, request), billing_pb2.SubscriptionChange, run)

    async def CancelSubscription(
        self, request: billing_pb2.CancelSubscriptionRequest, context: Context[Any, Any]
    ) -> billing_pb2.Subscription:
        user = _whose(request.name, "SUBSCRIPTION_NOT_FOUND")

        async def run(again: bool) -> billing_pb2.Subscription:
            after = await self._managing.cancel(
                user, immediately=request.immediately, key=_key(user, request.request_id)
            )
            return convert.subscription_to_proto(after, self._clock())

        return await self._repeating.once(asked(user, request), billing_pb2.Subscription, run)

    async def PauseSubscription(
        self, request: billing_pb2.PauseSubscriptionRequest, context: Context[Any, Any]
    ) -> billing_pb2.Subscription:
        user = _whose(request.name, "SUBSCRIPTION_NOT_FOUND")

        async def run(again: bool) -> billing_pb2.Subscription:
            until = convert.resume_time_from_proto(request)
            after = await self._managing.pause(user, until, key=_key(user, request.request_id))
            return convert.subscription_to_proto(after, self._clock())

        return await self._repeating.once(asked(user, request), billing_pb2.Subscription, run)

    async def ResumeSubscription(
        self, request: billing_pb2.ResumeSubscriptionRequest, context: Context[Any, Any]
    ) -> billing_pb2.Subscription:
        user = _whose(request.name, "SUBSCRIPTION_NOT_FOUND")

        async def run(again: bool) -> billing_pb2.Subscription:
            after = await self._managing.resume(user, key=_key(user, request.request_id))
            return convert.subscription_to_proto(after, self._clock())

        return await self._repeating.once(asked(user, request), billing_pb2.Subscription, run)

    async def ListInvoices(
        self, request: billing_pb2.ListInvoicesRequest, context: Context[Any, Any]
    ) -> billing_pb2.ListInvoicesResponse:
        user = _whose(request.parent, "USER_NOT_FOUND", operators=True)
        size = invoices_convert.page_size_from_proto(request)
        found = await self._invoices.page(user, invoices_convert.position_from_proto(user, request), size + 1)
        return invoices_convert.page_to_proto(user, found, size)

    async def BuyCredits(
        self, request: billing_pb2.BuyCreditsRequest, context: Context[Any, Any]
    ) -> billing_pb2.Invoice:
        user = _whose(request.parent, "USER_NOT_FOUND")
        pack = self._selling.pack(slug_from_name(request.pack), Provider.STRIPE)

        async def run(again: bool) -> billing_pb2.Invoice:
            payment = await self._selling.buy(user, pack, key=_key(user, request.request_id))
            return invoices_convert.invoice_to_proto(await self._invoices.invoice(payment.provider, payment.id))

        return await self._repeating.once(asked(user, request), billing_pb2.Invoice, run)

    async def RedeemPromoCode(
        self, request: billing_pb2.RedeemPromoCodeRequest, context: Context[Any, Any]
    ) -> billing_pb2.Redemption:
        user, code = _whose(request.parent, "USER_NOT_FOUND"), request.code.upper()

        async def run(again: bool) -> billing_pb2.Redemption:
            gift, after = await self._redeeming.redeem(user, UUID(request.request_id), code)
            return billing_pb2.Redemption(
                promo_code=f"promoCodes/{code}",
                gift=promos_convert.gift_to_proto(gift),
                subscription=convert.subscription_to_proto(after, self._clock()),
            )

        return await self._repeating.once(asked(user, request), billing_pb2.Redemption, run)

    async def CreatePromoCode(
        self, request: billing_pb2.CreatePromoCodeRequest, context: Context[Any, Any]
    ) -> billing_pb2.PromoCode:
        code = promos_convert.code_from_proto(request, self._catalogue, self._clock())
        await self._promos.create(code)
        return promos_convert.code_to_proto(code)

    async def ListPromoCodes(
        self, request: billing_pb2.ListPromoCodesRequest, context: Context[Any, Any]
    ) -> billing_pb2.ListPromoCodesResponse:
        size = invoices_convert.page_size_from_proto(request)
        found = await self._promos.page(promos_convert.position_from_proto(request), size + 1)
        return promos_convert.page_to_proto(found, size)


def _whose(name: str, reason: str, *, operators: bool = False) -> str:
    """The user in a resource's name, if the caller may see what is theirs."""
    return caller().owner(user_from_name(name), reason=reason, operators=operators)


def _key(user: str, request_id: str) -> str:
    """What makes a provider do something once: two users may come with the same request id."""
    return f"{user}/{request_id}"
