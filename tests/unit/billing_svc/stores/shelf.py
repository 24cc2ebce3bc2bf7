"""Lemon Squeezy's notices, shorter than the real ones and of the same shape."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.billing_svc.payments.lemon_squeezy import LemonSqueezy
from services.billing_svc.payments.provider import Delivery
from tests.unit.billing_svc.stores.archive import CATALOGUE, Archive

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SECRET = "signed here"


def iso(days: float) -> str:
    """A moment, counted from NOW, as Lemon Squeezy writes it."""
    return (NOW + days * DAY).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def notice(name: str, kind: str, number: str, user: str | None, attributes: dict[str, Any]) -> dict[str, Any]:
    meta: dict[str, Any] = {"event_name": name, "test_mode": attributes.get("test_mode", False)}
    if user is not None:
        meta["custom_data"] = {"user_id": user}
    return {"meta": meta, "data": {"type": kind, "id": number, "attributes": attributes}}


def subscription(name: str, day: float, user: str | None = "ada", **fields: Any) -> dict[str, Any]:
    """A month of Pro that began on the first day, if nothing else is said."""
    attributes: dict[str, Any] = {
        "customer_id": 7,
        "order_id": 5,
        "variant_id": 11,
        "status": "active",
        "pause": None,
        "cancelled": False,
        "trial_ends_at": None,
        "renews_at": iso(30),
        "ends_at": None,
        "created_at": iso(0),
        "updated_at": iso(day),
        "test_mode": False,
    }
    return notice(f"subscription_{name}", "subscriptions", "1", user, attributes | fields)


def invoice(name: str, day: float, user: str | None = None, number: str = "31", **fields: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "subscription_id": 1,
        "billing_reason": "initial",
        "status": "paid",
        "total": 999,
        "currency": "USD",
        "refunded": False,
        "urls": {"invoice_url": "https://shop.example/31"},
        "created_at": iso(0),
        "updated_at": iso(day),
        "test_mode": False,
    }
    return notice(f"subscription_payment_{name}", "subscription-invoices", number, user, attributes | fields)


def order(name: str, day: float, user: str | None = "ada", number: str = "5", **fields: Any) -> dict[str, Any]:
    """Two small packs."""
    attributes: dict[str, Any] = {
        "status": "paid",
        "total": 998,
        "currency": "USD",
        "refunded": False,
        "first_order_item": {"variant_id": 21, "quantity": 2},
        "urls": {"receipt": "https://shop.example/5"},
        "created_at": iso(0),
        "updated_at": iso(day),
        "test_mode": False,
    }
    return notice(f"order_{name}", "orders", number, user, attributes | fields)


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


class Counter:
    """Where notices arrive: they are verified and kept."""

    def __init__(self, *, live: bool = False) -> None:
        self.archive = Archive()
        self.shop = LemonSqueezy(["signed before", SECRET], CATALOGUE, self.archive, live=live)

    def arrives(self, one: dict[str, Any]) -> Delivery:
        body = json.dumps(one).encode()
        return self.archive.keep(self.shop.verified(signed(body), body, NOW))
