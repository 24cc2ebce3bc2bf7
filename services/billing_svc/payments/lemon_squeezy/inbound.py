"""Lemon Squeezy's webhooks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.body import parsed, read
from services.billing_svc.payments.lemon_squeezy.folding import Told, fold
from services.billing_svc.payments.lemon_squeezy.objects import OBJECTS, Notice, Stamp
from services.billing_svc.payments.provider import Delivery, History
from services.billing_svc.payments.reach import reached
from services.billing_svc.payments.signature import BadSignature, proved


class LemonSqueezy:
    """`secrets` are those that sign its webhooks. When `live`, what happens in its test mode counts for nothing."""

    provider = Provider.LEMON_SQUEEZY

    def __init__(self, secrets: Sequence[str], catalogue: Catalogue, history: History, *, live: bool) -> None:
        self._secrets = tuple(secret.encode() for secret in secrets)
        self._catalogue = catalogue
        self._history = history
        self._live = live

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        signatures = [hmac.new(secret, body, hashlib.sha256).hexdigest() for secret in self._secrets]
        if not proved(headers.get("x-signature", ""), signatures):
            raise BadSignature
        notice = read(Notice, parsed(body))
        name, digest = notice.meta.event_name, hashlib.sha256(body).hexdigest()
        model = OBJECTS.get(notice.data.type)
        if model is None:
            stamp = read(Stamp, notice.data.attributes)
            return Delivery(digest, name, stamp.updated_at or now, body)
        told = read(model, notice.data.attributes)
        return Delivery(digest, name, told.updated_at, body, told.subjects(notice.data.id))

    async def facts(self, delivery: Delivery) -> Facts:
        notice = _notice(delivery)
        if notice.data.type not in OBJECTS:
            raise NotOurs("A notice of something that is not for sale here.")
        if not self._counts(notice):
            raise NotOurs("It happened in the provider's test mode.")
        deliveries = await reached(self._history, self.provider, delivery)
        notices = {one.event_id: _notice(one) for one in deliveries}
        told = [_told(notice, digest) for digest, notice in notices.items() if self._counts(notice)]
        facts = fold(told, self._catalogue)
        if not facts.users:
            raise NotOurs("No subscription or pack of ours, or nobody is known behind its buyer yet.")
        return facts

    def _counts(self, notice: Notice) -> bool:
        test = notice.meta.test_mode or read(Stamp, notice.data.attributes).test_mode
        return notice.data.type in OBJECTS and not (self._live and test)


def _notice(delivery: Delivery) -> Notice:
    return read(Notice, parsed(delivery.body))


def _told(notice: Notice, digest: str) -> Told:
    model = OBJECTS[notice.data.type]
    failed = notice.meta.event_name == "subscription_payment_failed"
    return Told(notice.data.id, read(model, notice.data.attributes), digest, notice.user, failed)
