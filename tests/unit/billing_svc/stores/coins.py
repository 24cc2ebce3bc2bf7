"""Cryptomus' webhooks, shorter than the real ones and of the same shape."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.billing_svc.payments.cryptomus import Cryptomus
from services.billing_svc.payments.provider import Delivery
from tests.unit.billing_svc.stores.archive import CATALOGUE, Archive

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = "key of payments"
PLAN = json.dumps({"user_id": "ada", "article": "plans/pro", "interval": "month"})
PACK = json.dumps({"user_id": "ada", "article": "packs/small", "interval": None})


def status(word: str, *, final: bool = True, **fields: Any) -> dict[str, Any]:
    """Of a payment for a month of Pro, if nothing else is said."""
    known: dict[str, Any] = {
        "type": "payment",
        "uuid": "57e2ae53",
        "order_id": "a1b2",
        "amount": "9.99000000",
        "payment_amount": "9.98000000",
        "is_final": final,
        "status": word,
        "network": "bsc",
        "currency": "USD",
        "payer_currency": "USDT",
        "additional_data": PLAN,
    }
    return known | fields


def php(said: dict[str, Any]) -> str:
    """As PHP's json_encode writes it with JSON_UNESCAPED_UNICODE; slashes have a backslash before them."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")


def signature(text: str, key: str = KEY) -> str:
    return hashlib.md5(base64.b64encode(text.encode()) + key.encode()).hexdigest()


def signed(said: dict[str, Any], key: str = KEY) -> bytes:
    return php(said | {"sign": signature(php(said), key)}).encode()


class Wallet:
    """Where statuses arrive, an hour after each other: they are verified and kept."""

    def __init__(self) -> None:
        self.archive = Archive()
        self.cryptomus = Cryptomus((KEY, "key before"), CATALOGUE, self.archive)
        self.time = NOW

    def arrives(self, one: dict[str, Any]) -> Delivery:
        delivery = self.archive.keep(self.cryptomus.verified({}, signed(one), self.time))
        self.time += HOUR
        return delivery
