"""An app store, as RevenueCat tells of it: what a subscription goes through, event by event."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.e2e.clients import Json

# What the stack is told to expect, and what every delivery brings.
AUTHORIZATION = "Bearer revenuecat-agreed-value"
# Every buyer's, and nobody's business.
EMAIL = "buyer@mail.example"
WEEK = timedelta(days=7)


def body(event: Json) -> bytes:
    return json.dumps({"api_version": "1.0", "event": event}).encode()


def transfer(giver: str, taker: str, at: datetime) -> Json:
    """Whatever one buyer had is another's."""
    moved = {"transferred_from": [giver], "transferred_to": [taker], "store": "APP_STORE"}
    return {"id": str(uuid4()), "type": "TRANSFER", "event_timestamp_ms": _milliseconds(at), **moved}


@dataclass
class Purchase:
    """One weekly subscription of a user's; it was bought at `start`."""

    user: str
    product: str = "creator_week"
    price: float = 2.99
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = field(default_factory=lambda: str(uuid4().int)[:16])

    def initial_purchase(self) -> Json:
        return self._event("INITIAL_PURCHASE", 0, 0, price=self.price)

    def renewal(self, period: int) -> Json:
        return self._event("RENEWAL", period, 0, price=self.price)

    def cancellation(self, period: int, reason: str = "UNSUBSCRIBE", price: float = 0) -> Json:
        return self._event("CANCELLATION", period, 1, cancel_reason=reason, price=price)

    def uncancellation(self, period: int) -> Json:
        return self._event("UNCANCELLATION", period, 2, price=0)

    def expiration(self, period: int) -> Json:
        at = self.start + WEEK * (period + 1)
        return {**self._event("EXPIRATION", period, 0, expiration_reason="UNSUBSCRIBE"), **_time(at)}

    def _event(self, kind: str, period: int, hours: int, **told: object) -> Json:
        """An event so long after its period began."""
        bought = self.start + WEEK * period
        return {
            "id": str(uuid4()),
            "type": kind,
            "app_user_id": self.user,
            "original_app_user_id": self.user,
            "aliases": [self.user],
            "subscriber_attributes": {"$email": {"value": EMAIL, "updated_at_ms": _milliseconds(bought)}},
            "product_id": self.product,
            "period_type": "NORMAL",
            "store": "APP_STORE",
            "environment": "SANDBOX",
            "currency": "USD",
            "price_in_purchased_currency": told.get("price"),
            "original_transaction_id": self.id,
            "transaction_id": f"{self.id}-{period}",
            "purchased_at_ms": _milliseconds(bought),
            "expiration_at_ms": _milliseconds(bought + WEEK),
            **_time(bought + timedelta(hours=hours)),
            **told,
        }


def _time(at: datetime) -> Json:
    return {"event_timestamp_ms": _milliseconds(at)}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
