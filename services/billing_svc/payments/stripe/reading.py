"""What Stripe says now of something, in our terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile
from typing import Protocol

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.stripe import objects
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.customers import Customers
from services.billing_svc.payments.stripe.failures import Missing
from services.billing_svc.payments.stripe.objects import Json, Returned, legible, reference

NOBODYS = "It names no user of ours."


class Returns(Protocol):
    """What went back of payments."""

    async def of(self, payment_intents: Iterable[str]) -> Returned: ...


class AskedReturns:
    """Asks Stripe about each payment."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def of(self, payment_intents: Iterable[str]) -> Returned:
        charges: list[Json] = []
        disputes: list[Json] = []
        for intent in payment_intents:
            charges += [charge async for charge in self._api.charges(intent)]
            if any(charge["disputed"] for charge in charges):
                disputes += [dispute async for dispute in self._api.disputes(payment_intent=intent)]
        return objects.returned(charges, disputes)


class Reading:
    """Every method raises NotOurs for what belongs to nobody here, and Missing for what Stripe does not know."""

    def __init__(self, api: Api, catalogue: Catalogue, customers: Customers) -> None:
        self._api = api
        self._catalogue = catalogue
        self._customers = customers
        self._asked = AskedReturns(api)

    async def subscription(self, name: str) -> Facts:
        """A subscription and its latest invoice."""
        with legible():
            found = await self._api.subscription(name)
            facts = await self.agreement(found, await self._owned(found))
            latest = objects.expanded(found["latest_invoice"])
            if latest is None:
                return facts
            return Facts(facts.agreements, await self.payments(latest, facts.agreements[0].user, self._asked))

    async def invoice(self, name: str) -> Facts:
        """An invoice and its subscription."""
        with legible():
            invoice = await self._api.invoice(name)
            subscription = objects.subscription_of(invoice)
            if subscription is None:
                raise NotOurs("The invoice is for no subscription.")
            found = await self._api.subscription(subscription)
            facts = await self.agreement(found, await self._owned(found))
            return Facts(facts.agreements, await self.payments(invoice, facts.agreements[0].user, self._asked))

    async def payment_intent(self, name: str) -> Facts:
        """A payment: of an invoice, or for a pack."""
        with legible():
            intent = await self._api.payment_intent(name)
            if objects.is_pack(intent):
                return await self.pack(intent, await self._owned(intent))
        invoice = await self._api.invoice_paid_by(name)
        if invoice is None:
            raise NotOurs("The payment is for nothing that is sold here.")
        return await self.invoice(invoice)

    async def session(self, name: str) -> Facts:
        """What a checkout led to."""
        with legible():
            session = await self._api.session(name)
            if subscription := reference(session.get("subscription")):
                return await self.subscription(subscription)
            if intent := reference(session.get("payment_intent")):
                return await self.payment_intent(intent)
            if session["status"] == "complete" and objects.is_pack(session):
                pack = objects.pack(session, self._catalogue)
                return Facts(payments=(objects.free_pack(session, await self._owned(session), pack),))
        raise NotOurs("Nothing was bought in the checkout.")

    async def agreement(self, subscription: Json, owner: str) -> Facts:
        """A subscription that has been read already."""
        unpaid_since = await self._unpaid_since(subscription)
        return Facts((objects.agreement(subscription, owner, self._catalogue, unpaid_since),))

    async def payments(self, invoice: Json, owner: str, returns: Returns) -> tuple[Payment, ...]:
        """An invoice that has been read already; none for a draft."""
        returned = await returns.of(objects.payment_intents(invoice)) if invoice["status"] == "paid" else Returned()
        payment = objects.invoice_payment(invoice, owner, returned, self._catalogue)
        return (payment,) if payment else ()

    async def pack(self, intent: Json, owner: str, returns: Returns | None = None) -> Facts:
        """A payment for a pack that has been read already."""
        pack = objects.pack(intent, self._catalogue)
        returned = await (returns or self._asked).of([intent["id"]]) if intent["status"] == "succeeded" else Returned()
        return Facts(payments=(objects.pack_payment(intent, owner, returned, pack),))

    async def owner(self, thing: Json) -> str | None:
        """Whose a subscription, payment or checkout is; None when it is nobody's here."""
        if user := objects.user(thing.get("metadata")):
            return user
        customer = reference(thing.get("customer"))
        if customer is None:
            return None
        if user := await self._customers.user(Provider.STRIPE, customer):
            return user
        try:
            return objects.user((await self._api.customer(customer)).get("metadata"))
        except Missing:
            return None

    async def _owned(self, thing: Json) -> str:
        if (user := await self.owner(thing)) is None:
            raise NotOurs(NOBODYS)
        return user

    async def _unpaid_since(self, subscription: Json) -> datetime | None:
        """When the first of the latest invoices that were not paid was made.

        Periods go on while payments fail: those who pay by the week would otherwise get a new grace every week.
        """
        if subscription["status"] not in objects.UNPAID:
            return None
        invoices = [one async for one in self._api.invoices(subscription=subscription["id"])]
        unpaid = list(takewhile(lambda invoice: invoice["status"] != "paid", invoices))
        return objects.moment(unpaid[-1]["created"]) if unpaid else None
