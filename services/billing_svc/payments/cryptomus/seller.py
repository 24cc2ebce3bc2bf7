"""Cryptomus' pages."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from runtime.errors import NotFound
from services.billing_svc.domain.plan import PlanArticle, Provider
from services.billing_svc.payments.articles import article_name, listed, price_cents
from services.billing_svc.payments.asking import Asking
from services.billing_svc.payments.body import Link, Name, Said, Seconds
from services.billing_svc.payments.cryptomus.event import Ordered, additional_data
from services.billing_svc.payments.cryptomus.signing import sign
from services.billing_svc.payments.provider import Order, Page

LIFETIME = timedelta(hours=1)


class _Invoice(Said):
    uuid: Name
    url: Link
    expired_at: Seconds


class _Opened(Said):
    result: _Invoice


class CryptomusSeller:
    """`url` is where the API is, `key` the one that signs payments, `callback_url` where it tells what became of them.

    It has no test mode of its own: `test_mode` only says what this system is.
    """

    provider = Provider.CRYPTOMUS

    def __init__(
        self, asking: Asking, url: str, merchant: str, key: str, callback_url: str, *, test_mode: bool
    ) -> None:
        self._asking = asking
        self._url = f"{url.rstrip('/')}/v1/payment"
        self._merchant = merchant
        self._key = key
        self._callback_url = callback_url
        self.test_mode = test_mode

    async def checkout(self, order: Order) -> Page:
        """As every seller. It has no codes, and what is paid in advance has no trial."""
        listed(order.article, self.provider)
        if order.promo_code:
            raise NotFound("There is no such code.", reason="PROMO_CODE_NOT_FOUND")
        body = json.dumps(self._body(order)).encode()
        headers = {
            "merchant": self._merchant,
            "sign": sign(body, self._key),
            "content-type": "application/json",
        }
        invoice = (await self._asking.post(self._url, headers, body)).of(_Opened).result
        return Page(invoice.uuid, invoice.url, invoice.expired_at)

    def _body(self, order: Order) -> dict[str, str | int]:
        article = order.article
        interval = article.price.interval.value if isinstance(article, PlanArticle) else None
        units, cents = divmod(price_cents(article), 100)
        return {
            "amount": f"{units}.{cents:02}",
            "currency": "USD",
            # Letters and digits alone are allowed. The same order has the same page.
            "order_id": hashlib.sha256(order.key.encode()).hexdigest(),
            "additional_data": additional_data(Ordered(order.user, article_name(article), interval)),
            "url_callback": self._callback_url,
            "url_success": order.success_url,
            "url_return": order.cancel_url,
            "lifetime": int(LIFETIME.total_seconds()),
        }
