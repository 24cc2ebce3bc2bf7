"""Stripe's webhooks: proof, and what they are about as it stands now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.payments.stripe import webhooks
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.failures import Missing
from services.billing_svc.payments.stripe.objects import legible, reference
from services.billing_svc.payments.stripe.reading import Reading

SIGNATURE = "stripe-signature"


class StripeInbound:
    """`secrets` are the endpoint's, several while one replaces another."""

    provider = Provider.STRIPE

    def __init__(
        self, api: Api, reading: Reading, secrets: Sequence[str], environment: Literal["test", "live"]
    ) -> None:
        self._api = api
        self._reading = reading
        self._secrets = [secret for secret in secrets if secret.strip()]
        self._live = environment == "live"

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        webhooks.prove(headers.get(SIGNATURE, ""), body, self._secrets, now)
        event = webhooks.parsed(body)
        subjects = {event.object_id, *event.links.values()} - {""}
        return Delivery(event.id, event.type, event.time, body, tuple(sorted(subjects)))

    async def facts(self, delivery: Delivery) -> Facts:
        event = webhooks.parsed(delivery.body)
        if event.live is not None and event.live is not self._live:
            raise NotOurs("It is of Stripe's live mode." if event.live else "It is of Stripe's test mode.")
        if not event.object_id:
            raise NotOurs("It is about nothing that can be read again.")
        try:
            return await self._facts(event)
        except Missing:
            raise NotOurs("Stripe does not know the object any more.") from None

    async def _facts(self, event: webhooks.Event) -> Facts:
        name, links = event.object_id, event.links
        match event.object_type:
            case "subscription":
                return await self._reading.subscription(name)
            case "subscription_schedule":
                subscription = links.get("subscription") or links.get("released_subscription")
                return await self._reading.subscription(subscription or await self._scheduled(name))
            case "invoice":
                return await self._reading.invoice(name)
            case "invoice_payment" if "invoice" in links:
                return await self._reading.invoice(links["invoice"])
            case "checkout.session":
                return await self._reading.session(name)
            case "payment_intent":
                return await self._reading.payment_intent(name)
            case "charge" | "refund" | "dispute":
                intent = links.get("payment_intent") or await self._paid(event.object_type, name)
                return await self._reading.payment_intent(intent)
            case _:
                raise NotOurs("Nothing that is sold here depends on it.")

    async def _scheduled(self, schedule: str) -> str:
        with legible():
            found = await self._api.schedule(schedule)
            name = reference(found.get("subscription")) or reference(found.get("released_subscription"))
        if name is None:
            raise NotOurs("The schedule is of no subscription.")
        return name

    async def _paid(self, kind: str, name: str) -> str:
        """The payment that something happened to."""
        read = {"charge": self._api.charge, "refund": self._api.refund, "dispute": self._api.dispute}[kind]
        with legible():
            intent = reference((await read(name)).get("payment_intent"))
        if intent is None:
            raise NotOurs("It is of no payment that is made here.")
        return intent
