"""Everything that Stripe knows, a page at a time, for comparing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime, timedelta

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.stripe import objects
from services.billing_svc.payments.stripe.client import Api
from services.billing_svc.payments.stripe.customers import Customers
from services.billing_svc.payments.stripe.failures import Missing
from services.billing_svc.payments.stripe.objects import Json, Returned, legible, reference
from services.billing_svc.payments.stripe.reading import AskedReturns, Reading, Returns

LOOKED_BACK = timedelta(days=40)
# For one user it is asked about each payment, so there is time for more of them.
LOOKED_BACK_FOR_ONE = timedelta(days=400)

WITHOUT_EFFECT = ("failed", "canceled")


class StripeAuditor:
    """See `payments.provider.Auditor`. `clock` gives the present in UTC."""

    provider = Provider.STRIPE

    def __init__(self, api: Api, reading: Reading, customers: Customers, clock: Callable[[], datetime]) -> None:
        self._api = api
        self._reading = reading
        self._customers = customers
        self._clock = clock

    async def agreements(self, user: str | None) -> AsyncIterator[Facts]:
        """First the agreements, each in facts of its own; then the payments since some time, likewise.

        They are listed a hundred at a time. Only a payment of an earlier time of which money went back is read alone.
        """
        customer = None if user is None else await self._customers.customer(user, Provider.STRIPE)
        if user is not None and customer is None:
            return
        owners: dict[str, str] = {}
        async for subscription in self._api.subscriptions(customer):
            if facts := await self._agreement(subscription):
                owners[subscription["id"]] = facts.agreements[0].user
                yield facts
        since = self._clock() - (LOOKED_BACK if user is None else LOOKED_BACK_FOR_ONE)
        returns = await self._returns(user, since)
        async for invoice in self._api.invoices(customer=customer, since=since):
            if facts := await self._invoice(invoice, owners, returns):
                yield facts
        if isinstance(returns, ListedReturns):
            async for facts in self._returned(returns):
                yield facts

    async def payments(self, user: str | None, since: datetime) -> AsyncIterator[Facts]:
        customer = None if user is None else await self._customers.customer(user, Provider.STRIPE)
        if user is not None and customer is None:
            return
        returns = await self._returns(user, since)
        async for intent in self._api.payment_intents(customer, since):
            with legible():
                owner = await self._reading.owner(intent) if objects.is_pack(intent) else None
                if owner is not None and (facts := await self._pack(intent, owner, returns)):
                    yield facts

    async def agreement(self, agreement_id: str) -> Facts | None:
        """NotOurs for one that Stripe knows and that is not sold here any more."""
        try:
            return await self._reading.subscription(agreement_id)
        except Missing:
            return None

    async def _agreement(self, subscription: Json) -> Facts | None:
        with legible():
            try:
                return await self._reading.agreement(subscription, await self._reading.owner(subscription) or "")
            except NotOurs:
                return None

    async def _invoice(self, invoice: Json, owners: dict[str, str], returns: Returns) -> Facts | None:
        with legible():
            owner = owners.get(objects.subscription_of(invoice) or "")
            payments = await self._reading.payments(invoice, owner, returns) if owner else ()
        return Facts(payments=payments) if payments else None

    async def _pack(self, intent: Json, owner: str, returns: Returns) -> Facts | None:
        try:
            return await self._reading.pack(intent, owner, returns)
        except NotOurs:
            return None

    async def _returned(self, returns: ListedReturns) -> AsyncIterator[Facts]:
        """Payments that nobody has asked about, and of which money went back."""
        for intent in returns.unasked:
            try:
                facts = await self._reading.payment_intent(intent)
            except (NotOurs, Missing):
                continue
            if facts.agreements:
                yield Facts(payments=facts.payments)

    async def _returns(self, user: str | None, since: datetime) -> Returns:
        if user is not None:
            return AskedReturns(self._api)
        returns = ListedReturns()
        with legible():
            async for refund in self._api.refunds(since):
                if refund["status"] not in WITHOUT_EFFECT:
                    returns.add(reference(refund.get("payment_intent")), Returned(refunded=refund["amount"]))
            async for dispute in self._api.disputes(since=since):
                returns.add(reference(dispute.get("payment_intent")), objects.returned((), [dispute]))
        return returns


class ListedReturns:
    """What went back since some time, by payment: few of all."""

    def __init__(self) -> None:
        self._found: dict[str, Returned] = {}
        self._asked: set[str] = set()

    def add(self, payment_intent: str | None, more: Returned) -> None:
        if payment_intent is not None:
            had = self._found.get(payment_intent, Returned())
            both = Returned(had.refunded + more.refunded, had.charged_back + more.charged_back)
            self._found[payment_intent] = both

    async def of(self, payment_intents: Iterable[str]) -> Returned:
        names = list(payment_intents)
        self._asked |= self._found.keys() & set(names)
        found = [self._found[name] for name in names if name in self._found]
        return Returned(sum(one.refunded for one in found), sum(one.charged_back for one in found))

    @property
    def unasked(self) -> list[str]:
        return [name for name in self._found if name not in self._asked]
