"""RevenueCat's events, shorter than the real ones and of the same shape."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from services.billing_svc.payments.provider import Delivery
from services.billing_svc.payments.revenuecat import RevenueCat
from tests.unit.billing_svc.stores.archive import CATALOGUE, Archive

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HEADERS = {"authorization": "Bearer agreed"}
ANONYMOUS = "$RCAnonymousID:0123456789abcdef0123456789abcdef"


def ms(days: float) -> int:
    """A moment, counted from NOW."""
    return int((NOW + days * DAY).timestamp() * 1000)


def event(event_type: str, day: float, **fields: Any) -> dict[str, Any]:
    """About a month of Pro that was bought on the first day, if nothing else is said."""
    known: dict[str, Any] = {
        "id": f"{event_type}-{day}",
        "type": event_type,
        "event_timestamp_ms": ms(day),
        "environment": "PRODUCTION",
        "app_user_id": "ada",
        "original_app_user_id": "ada",
        "aliases": ["ada"],
        "product_id": "pro_month",
        "period_type": "NORMAL",
        "purchased_at_ms": ms(0),
        "expiration_at_ms": ms(30),
        "transaction_id": "t1",
        "original_transaction_id": "t1",
        "price": 9.99,
        "price_in_purchased_currency": 9.99,
        "currency": "USD",
        "store": "APP_STORE",
    }
    return known | fields


def renewal(day: float, transaction: str, **fields: Any) -> dict[str, Any]:
    period = {"purchased_at_ms": ms(day), "expiration_at_ms": ms(day + 30), "transaction_id": transaction}
    return event("RENEWAL", day, **(period | fields))


def transfer(day: float, given: list[str], taken: list[str]) -> dict[str, Any]:
    return {
        "id": f"TRANSFER-{day}",
        "type": "TRANSFER",
        "event_timestamp_ms": ms(day),
        "environment": "PRODUCTION",
        "transferred_from": given,
        "transferred_to": taken,
    }


def body(one: dict[str, Any]) -> bytes:
    return json.dumps({"api_version": "1.0", "event": one}).encode()


class Line:
    """RevenueCat's line to us: what arrives is verified and kept."""

    def __init__(self, *, live: bool = False) -> None:
        self.archive = Archive()
        self.revenuecat = RevenueCat(["agreed before", "Bearer agreed"], CATALOGUE, self.archive, live=live)

    def arrives(self, one: dict[str, Any]) -> Delivery:
        return self.archive.keep(self.revenuecat.verified(HEADERS, body(one), NOW))
