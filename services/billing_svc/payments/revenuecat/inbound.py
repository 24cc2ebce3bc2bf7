"""RevenueCat's webhooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.body import parsed, read
from services.billing_svc.payments.provider import Delivery, History
from services.billing_svc.payments.reach import reached
from services.billing_svc.payments.revenuecat.event import KNOWN, TEST, Envelope, Event
from services.billing_svc.payments.revenuecat.folding import fold
from services.billing_svc.payments.signature import BadSignature, proved

SANDBOX = "SANDBOX"


class RevenueCat:
    """`authorizations` are the values of the header that prove a request. When `live`, purchases of a store's sandbox
    count for nothing; otherwise those of both count, as RevenueCat marks its samples as real ones."""

    provider = Provider.REVENUECAT

    def __init__(self, authorizations: Sequence[str], catalogue: Catalogue, history: History, *, live: bool) -> None:
        self._authorizations = tuple(authorizations)
        self._catalogue = catalogue
        self._history = history
        self._live = live

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        if not proved(headers.get("authorization", ""), self._authorizations):
            raise BadSignature
        event = parsed(body).get("event")
        envelope = read(Envelope, event)
        subjects = sorted(read(Event, event).subjects()) if envelope.type in KNOWN else ()
        return Delivery(envelope.id, envelope.type, envelope.time, body, tuple(subjects))

    async def facts(self, delivery: Delivery) -> Facts:
        if delivery.event_type == TEST:
            raise NotOurs("A test of the connection.")
        if delivery.event_type not in KNOWN:
            raise NotOurs("An event of a type that is not known.")
        if not self._counts(_event(delivery)):
            raise NotOurs("A purchase in a store's sandbox.")
        deliveries = await reached(self._history, self.provider, delivery)
        events = [_event(one) for one in deliveries if one.event_type in KNOWN]
        facts = fold(filter(self._counts, events), self._catalogue)
        if not facts.users:
            raise NotOurs(_why(events, self._catalogue))
        return facts

    def _counts(self, event: Event) -> bool:
        return not (self._live and event.environment == SANDBOX)


def _event(delivery: Delivery) -> Event:
    return read(Event, parsed(delivery.body)["event"])


def _why(events: Sequence[Event], catalogue: Catalogue) -> str:
    products = [event.product_id for event in events if event.key is not None and event.product_id is not None]
    if not products:
        return "Nothing that was bought is known of it."
    if not any(catalogue.sold(Provider.REVENUECAT, product) for product in products):
        return "A product that is not on offer here."
    return "No user is known behind its buyer yet."
