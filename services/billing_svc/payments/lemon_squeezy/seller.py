"""Lemon Squeezy's checkout pages."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from runtime.errors import NotFound
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.articles import listed
from services.billing_svc.payments.asking import Answer, Asking
from services.billing_svc.payments.body import Id, Link, Said
from services.billing_svc.payments.provider import Order, Page

LIFETIME = timedelta(hours=24)
MEDIA_TYPE = "application/vnd.api+json"


class _Attributes(Said):
    url: Link


class _Checkout(Said):
    id: Id
    attributes: _Attributes


class _Opened(Said):
    data: _Checkout


class LemonSqueezySeller:
    """`url` is where the API is, `store` the shop's id, `clock` gives the present in UTC."""

    provider = Provider.LEMON_SQUEEZY

    def __init__(
        self, asking: Asking, url: str, key: str, store: str, clock: Callable[[], datetime], *, test_mode: bool
    ) -> None:
        self._asking = asking
        self._url = f"{url.rstrip('/')}/v1/checkouts"
        self._headers = {"authorization": f"Bearer {key}", "accept": MEDIA_TYPE, "content-type": MEDIA_TYPE}
        self._store = store
        self._clock = clock
        self.test_mode = test_mode

    async def checkout(self, order: Order) -> Page:
        variant = listed(order.article, self.provider)
        expire_time = self._clock() + LIFETIME
        body = json.dumps(self._body(order, variant, expire_time)).encode()
        answer = await self._asking.post(self._url, self._headers, body)
        if order.promo_code and _complains_of_code(answer):
            raise NotFound("There is no such code.", reason="PROMO_CODE_NOT_FOUND")
        opened = answer.of(_Opened).data
        return Page(opened.id, opened.attributes.url, expire_time)

    def _body(self, order: Order, variant: str, expire_time: datetime) -> dict[str, Any]:
        data: dict[str, Any] = {"custom": {"user_id": order.user}}
        if order.promo_code:
            data["discount_code"] = order.promo_code
        attributes = {
            "checkout_data": data,
            # The length of a trial is the variant's own; whether there is one is ours to say.
            "checkout_options": {"skip_trial": order.trial_days == 0},
            "product_options": {"redirect_url": order.success_url, "enabled_variants": [int(variant)]},
            "expires_at": expire_time.isoformat(),
            "test_mode": self.test_mode,
        }
        relationships = {
            "store": {"data": {"type": "stores", "id": self._store}},
            "variant": {"data": {"type": "variants", "id": variant}},
        }
        return {"data": {"type": "checkouts", "attributes": attributes, "relationships": relationships}}


def _complains_of_code(answer: Answer) -> bool:
    """Whether the discount code is what is wrong, and nothing else; errors name the member that they are about."""
    errors = answer.body.get("errors")
    if answer.status != 422 or not isinstance(errors, list):
        return False
    sources = [error.get("source") for error in errors if isinstance(error, dict)]
    pointers = [str(source.get("pointer")) for source in sources if isinstance(source, dict)]
    return bool(pointers) and all(pointer.endswith("/discount_code") for pointer in pointers)
