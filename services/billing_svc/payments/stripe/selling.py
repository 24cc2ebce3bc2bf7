"""Pages of Stripe's where plans and packs are paid for, and payments without one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from runtime.errors import FailedPrecondition, NotFound
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.plan import Article, Pack, PlanArticle, Provider
from services.billing_svc.payments.provider import Order, Page
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.failures import Missing, Refused
from services.billing_svc.payments.stripe.objects import legible
from services.billing_svc.payments.stripe.purse import Purse
from services.billing_svc.payments.stripe.reading import Reading

CURRENCY = "usd"


class StripeSelling:
    """See `payments.provider.Desk`."""

    def __init__(self, api: Api, reading: Reading, purse: Purse) -> None:
        self._api = api
        self._reading = reading
        self._purse = purse

    async def checkout(self, order: Order) -> Page:
        """A page that closes by itself after a day.

        The time is Stripe's own: one of ours would differ when the same order is placed again, and Stripe would take
        that for another order.
        """
        terms = _terms(order)
        discount = await self._discount(order.promo_code)
        session = await self._api.create_session(
            f"{order.key}/checkout",
            customer=await self._purse.opened(order.user),
            client_reference_id=order.user,
            line_items=[{"price": price(order.article), "quantity": 1}],
            success_url=order.success_url,
            cancel_url=order.cancel_url,
            **terms,
            **discount,
        )
        with legible():
            return Page(session["id"], session["url"], datetime.fromtimestamp(session["expires_at"], UTC))

    async def close(self, page: str) -> None:
        try:
            await self._api.expire_session(page)
        except (Missing, Refused):
            # It is closed or paid already, and cannot be opened again.
            return

    async def portal(self, user: str, return_url: str) -> str:
        customer = await self._purse.customer(user)
        nobody = FailedPrecondition("There is nothing to change before the first payment.", reason="NO_CUSTOMER")
        if customer is None:
            raise nobody
        try:
            page = await self._api.portal(customer, return_url)
        except Missing:
            raise nobody from None
        with legible():
            url: str = page["url"]
            return url

    async def buy(self, user: str, pack: Pack, *, key: str) -> Facts:
        price(pack)
        customer = await self._purse.customer(user)
        if customer is None:
            message = "There is no way of paying yet. Use a checkout."
            raise FailedPrecondition(message, reason="NO_PAYMENT_METHOD")
        intent = await self._api.pay(
            f"{key}/pay",
            amount=pack.cents,
            currency=CURRENCY,
            customer=customer,
            payment_method=await self._purse.way_of_paying(customer),
            metadata={"user_id": user, "pack": pack.slug},
        )
        with legible():
            return await self._reading.payment_intent(intent["id"])

    async def _discount(self, code: str) -> Mapping[str, Any]:
        if not code:
            return {"allow_promotion_codes": True}
        found = await self._api.promotion_code(code)
        if found is None:
            raise NotFound("There is no such code.", reason="PROMO_CODE_NOT_FOUND")
        return {"discounts": [{"promotion_code": found["id"]}]}


def price(article: Article) -> str:
    """What Stripe calls it. NotFound (PLAN_NOT_FOUND, PACK_NOT_FOUND) when Stripe does not sell it here."""
    if isinstance(article, Pack):
        if names := article.ids.get(Provider.STRIPE):
            return names[0]
        raise NotFound("The pack is not sold here.", reason="PACK_NOT_FOUND")
    if names := article.price.ids.get(Provider.STRIPE):
        return names[0]
    raise NotFound("The plan is not sold here.", reason="PLAN_NOT_FOUND")


def _terms(order: Order) -> dict[str, Any]:
    match order.article:
        case PlanArticle(plan, plan_price):
            trial = {"trial_period_days": order.trial_days} if order.trial_days else {}
            return {
                "mode": "subscription",
                "metadata": {"user_id": order.user, "plan": plan.slug, "interval": plan_price.interval.value},
                "subscription_data": {"metadata": {"user_id": order.user}, **trial},
                # Also for a trial: it goes on by itself when it ends.
                "payment_method_collection": "always",
            }
        case Pack(slug):
            metadata = {"user_id": order.user, "pack": slug}
            # What pays now is kept, so that the next pack can be bought without a page.
            intent = {"metadata": metadata, "setup_future_usage": "off_session"}
            return {"mode": "payment", "metadata": metadata, "payment_intent_data": intent}
