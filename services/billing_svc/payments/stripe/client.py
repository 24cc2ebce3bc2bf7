"""The calls to Stripe that are made, each with its limits. They give what Stripe answers, as plain objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import stripe
from stripe import ListObject, StripeClient, StripeObject

from services.billing_svc.payments.stripe.failures import failures
from services.billing_svc.payments.stripe.objects import Json

CONNECT_TIMEOUT_SECONDS = 3
REQUEST_TIMEOUT_SECONDS = 10
# The SDK's own retries are safe: whatever changes something has an idempotency key.
RETRIES_MAX = 2
PAGE_SIZE = 100

SUBSCRIPTION_PARTS = ("latest_invoice.payments", "schedule")


@asynccontextmanager
async def api(key: str, url: str | None = None) -> AsyncIterator[Api]:
    """Stripe's API while the block runs; `url` is where it is, if not at Stripe."""
    # Otherwise the SDK keeps a file in the home directory and sends its content along.
    stripe.enable_telemetry = False
    timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
    connections = stripe.AIOHTTPClient(timeout=timeout)
    client = StripeClient(
        key,
        http_client=connections,
        base_addresses={"api": url} if url else {},
        max_network_retries=RETRIES_MAX,
    )
    try:
        yield Api(client)
    finally:
        await connections.close_async()  # type: ignore[no-untyped-call]


class Api:
    """Raises the errors of `failures`. A `key` makes what is done happen once."""

    def __init__(self, client: StripeClient) -> None:
        self._v1 = client.v1

    async def subscription(self, name: str) -> Json:
        return await _one(self._v1.subscriptions.retrieve_async(name, {"expand": [*SUBSCRIPTION_PARTS]}))

    def subscriptions(self, customer: str | None) -> AsyncIterator[Json]:
        """All, over or not, newest first; with their latest invoices and schedules."""
        params: Any = {"status": "all", "expand": [f"data.{part}" for part in SUBSCRIPTION_PARTS]}
        return _all(self._v1.subscriptions.list_async(params | _page(customer=customer)))

    async def update_subscription(self, name: str, key: str, **params: Any) -> None:
        changes: Any = params
        await _one(self._v1.subscriptions.update_async(name, changes, {"idempotency_key": key}))

    async def cancel_subscription(self, name: str, key: str) -> None:
        params: Any = {"prorate": False, "invoice_now": False}
        await _one(self._v1.subscriptions.cancel_async(name, params, {"idempotency_key": key}))

    async def schedule(self, name: str) -> Json:
        return await _one(self._v1.subscription_schedules.retrieve_async(name))

    async def create_schedule(self, subscription: str, key: str) -> Json:
        params: Any = {"from_subscription": subscription}
        return await _one(self._v1.subscription_schedules.create_async(params, {"idempotency_key": key}))

    async def update_schedule(self, name: str, key: str, **params: Any) -> None:
        changes: Any = params
        await _one(self._v1.subscription_schedules.update_async(name, changes, {"idempotency_key": key}))

    async def release_schedule(self, name: str, key: str) -> None:
        await _one(self._v1.subscription_schedules.release_async(name, {}, {"idempotency_key": key}))

    async def invoice(self, name: str) -> Json:
        return await _one(self._v1.invoices.retrieve_async(name, {"expand": ["payments"]}))

    def invoices(
        self, *, customer: str | None = None, subscription: str | None = None, since: datetime | None = None
    ) -> AsyncIterator[Json]:
        """Newest first, with their payments."""
        params: Any = {"expand": ["data.payments"]}
        filters = _page(customer=customer, subscription=subscription, since=since)
        return _all(self._v1.invoices.list_async(params | filters))

    async def preview_invoice(self, subscription: str, **details: Any) -> Json:
        params: Any = {"subscription": subscription, "subscription_details": details}
        return await _one(self._v1.invoices.create_preview_async(params))

    async def invoice_paid_by(self, payment_intent: str) -> str | None:
        """The invoice that a payment is for."""
        params: Any = {"payment": {"type": "payment_intent", "payment_intent": payment_intent}, "limit": 1}
        found = await _first(self._v1.invoice_payments.list_async(params))
        return found["invoice"] if found else None

    async def payment_intent(self, name: str) -> Json:
        return await _one(self._v1.payment_intents.retrieve_async(name))

    def payment_intents(self, customer: str | None, since: datetime) -> AsyncIterator[Json]:
        params: Any = _page(customer=customer, since=since)
        return _all(self._v1.payment_intents.list_async(params))

    async def pay(self, key: str, **params: Any) -> Json:
        """Charges a way of paying that is kept at Stripe, while its owner is not there."""
        intent: Any = {
            **params,
            "confirm": True,
            "off_session": True,
            # A way of paying that leads elsewhere is of no use to who is not there.
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
        return await _one(self._v1.payment_intents.create_async(intent, {"idempotency_key": key}))

    async def charge(self, name: str) -> Json:
        return await _one(self._v1.charges.retrieve_async(name))

    def charges(self, payment_intent: str) -> AsyncIterator[Json]:
        params: Any = _page(payment_intent=payment_intent)
        return _all(self._v1.charges.list_async(params))

    async def refund(self, name: str) -> Json:
        return await _one(self._v1.refunds.retrieve_async(name))

    def refunds(self, since: datetime) -> AsyncIterator[Json]:
        params: Any = _page(since=since)
        return _all(self._v1.refunds.list_async(params))

    async def dispute(self, name: str) -> Json:
        return await _one(self._v1.disputes.retrieve_async(name))

    def disputes(self, *, payment_intent: str | None = None, since: datetime | None = None) -> AsyncIterator[Json]:
        params: Any = _page(payment_intent=payment_intent, since=since)
        return _all(self._v1.disputes.list_async(params))

    async def customer(self, name: str) -> Json:
        """One that was deleted says so in `deleted`."""
        return await _one(self._v1.customers.retrieve_async(name))

    async def create_customer(self, key: str, **params: Any) -> Json:
        customer: Any = params
        return await _one(self._v1.customers.create_async(customer, {"idempotency_key": key}))

    async def payment_method(self, customer: str) -> Json | None:
        """The newest way of paying that a customer has left."""
        return await _first(self._v1.payment_methods.list_async({"customer": customer, "limit": 1}))

    async def promotion_code(self, code: str) -> Json | None:
        return await _first(self._v1.promotion_codes.list_async({"code": code, "active": True, "limit": 1}))

    async def session(self, name: str) -> Json:
        return await _one(self._v1.checkout.sessions.retrieve_async(name))

    async def create_session(self, key: str, **params: Any) -> Json:
        session: Any = params
        return await _one(self._v1.checkout.sessions.create_async(session, {"idempotency_key": key}))

    async def expire_session(self, name: str) -> None:
        await _one(self._v1.checkout.sessions.expire_async(name, {}, {"idempotency_key": f"{name}/expire"}))

    async def portal(self, customer: str, return_url: str) -> Json:
        # Each call makes a page of its own and changes nothing else, so the SDK's own key will do.
        params: Any = {"customer": customer, "return_url": return_url}
        return await _one(self._v1.billing_portal.sessions.create_async(params))


async def _one(answer: Awaitable[StripeObject]) -> Json:
    with failures():
        return (await answer).to_dict()


async def _first(answer: Awaitable[ListObject[Any]]) -> Json | None:
    with failures():
        found = (await answer).data
    return found[0].to_dict() if found else None


async def _all(answer: Awaitable[ListObject[Any]]) -> AsyncIterator[Json]:
    """Everything, a page at a time."""
    with failures():
        page = await answer
    while True:
        for one in page.data:
            yield one.to_dict()
        if not page.has_more:
            return
        with failures():
            page = await page.next_page_async()


def _page(*, since: datetime | None = None, **filters: str | None) -> dict[str, Any]:
    """A list's parameters; a filter that is None is left out."""
    created = {"created": {"gte": int(since.timestamp())}} if since else {}
    return {"limit": PAGE_SIZE, **created, **{name: value for name, value in filters.items() if value is not None}}
