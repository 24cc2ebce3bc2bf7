"""A user at Stripe: the customer, and the way of paying that is kept there."""

from __future__ import annotations

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.customers import Customers
from services.billing_svc.payments.stripe.failures import Missing
from services.billing_svc.payments.stripe.objects import Json, legible, reference


class Purse:
    """Everybody's."""

    def __init__(self, api: Api, customers: Customers) -> None:
        self._api = api
        self._customers = customers

    async def customer(self, user: str) -> str | None:
        """The user's customer, as far as is known here."""
        return await self._customers.customer(user, Provider.STRIPE)

    async def opened(self, user: str) -> str:
        """The user's customer, made where there is none, or where it was deleted at Stripe."""
        known = await self.customer(user)
        if known is not None and await self._alive(known):
            return known
        # Two at once get the same customer, since their keys are the same.
        key = f"customer/{user}" if known is None else f"customer/{user}/after/{known}"
        with legible():
            made: str = (await self._api.create_customer(key, metadata={"user_id": user}))["id"]
        if known is None:
            return await self._customers.keep(user, Provider.STRIPE, made)
        return await self._customers.replace(user, Provider.STRIPE, known, made)

    async def way_of_paying(self, customer: str) -> str:
        """What a customer is charged by: the one they chose, or that of their subscription, or the newest.

        FailedPrecondition (NO_PAYMENT_METHOD) when there is none.
        """
        with legible():
            found = await self._chosen(customer) or await self._subscribed(customer) or await self._newest(customer)
        if found is None:
            message = "There is no way of paying that can be used without asking. Use a checkout."
            raise FailedPrecondition(message, reason="NO_PAYMENT_METHOD")
        return found

    async def _alive(self, customer: str) -> bool:
        try:
            return not (await self._api.customer(customer)).get("deleted")
        except Missing:
            return False

    async def _chosen(self, customer: str) -> str | None:
        try:
            settings = (await self._api.customer(customer)).get("invoice_settings") or {}
        except Missing:
            return None
        return reference(settings.get("default_payment_method"))

    async def _subscribed(self, customer: str) -> str | None:
        alive = ("trialing", "active", "past_due")
        async for subscription in self._api.subscriptions(customer):
            if subscription["status"] in alive and (found := reference(subscription.get("default_payment_method"))):
                return found
        return None

    async def _newest(self, customer: str) -> str | None:
        found: Json | None = await self._api.payment_method(customer)
        return reference(found)
