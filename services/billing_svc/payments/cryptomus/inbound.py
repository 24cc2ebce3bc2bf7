"""Cryptomus' webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.body import parsed, read
from services.billing_svc.payments.cryptomus.event import PAYMENT, Event
from services.billing_svc.payments.cryptomus.folding import Told, fold
from services.billing_svc.payments.cryptomus.signing import signatures
from services.billing_svc.payments.provider import Delivery, History
from services.billing_svc.payments.reach import reached
from services.billing_svc.payments.signature import BadSignature, proved

# Its payments have one or two KiB. What is longer is nobody's work before it is proved.
BODY_BYTES_MAX = 64 * 1024


class Cryptomus:
    """`keys` are the keys that sign: they are those that ask, too. Its events have no time but that of their coming."""

    provider = Provider.CRYPTOMUS

    def __init__(self, keys: tuple[str, ...], catalogue: Catalogue, history: History) -> None:
        self._keys = keys
        self._catalogue = catalogue
        self._history = history

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        if len(body) > BODY_BYTES_MAX:
            raise BadSignature
        said = parsed(body)
        given = said.get("sign")
        expected = [signature for key in self._keys for signature in signatures(said, key)]
        if not isinstance(given, str) or not proved(given, expected):
            raise BadSignature
        event = read(Event, said)
        name = f"{event.uuid}/{event.status}{'/final' if event.is_final else ''}"
        return Delivery(name, f"{event.type}.{event.status}", now, body, (f"payment:{event.uuid}",))

    async def facts(self, delivery: Delivery) -> Facts:
        event = _event(delivery)
        if event.type != PAYMENT:
            raise NotOurs("Neither a payment for an order, nor to us.")
        if event.ordered is None:
            raise NotOurs("A payment for an order that was not placed here.")
        deliveries = await reached(self._history, self.provider, delivery)
        facts = fold([Told(_event(one), one.event_time) for one in deliveries], self._catalogue)
        if not facts.users:
            raise NotOurs("An article that is not on offer here.")
        return facts


def _event(delivery: Delivery) -> Event:
    return read(Event, parsed(delivery.body))
