"""Cryptomus' webhooks, as its documentation lists their fields."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from services.billing_svc.payments.body import Amount, Currency, Name, Said
from services.billing_svc.payments.users import user_named

PAYMENT = "payment"

PAID = frozenset({"paid", "paid_over"})
# It follows one of those, or an amount that was too small.
RETURNED = "refund_paid"
FAILED = frozenset({"fail", "system_fail", "wrong_amount"})
CANCELLED = "cancel"


@dataclass(frozen=True)
class Ordered:
    """What a payment is for, as we said when the page was opened."""

    user: str
    article: str
    interval: str | None

    @property
    def id(self) -> str:
        """What the catalogue calls it for this provider."""
        return f"{self.article}/{self.interval}" if self.interval else self.article


class Event(Said):
    type: Name
    uuid: Name
    status: Name
    is_final: bool = False
    order_id: Name | None = None
    amount: Amount
    currency: Currency
    additional_data: Any = None

    @property
    def ordered(self) -> Ordered | None:
        """None when the payment is not for anything that we sold."""
        try:
            said = json.loads(self.additional_data)
        except (TypeError, ValueError, RecursionError):
            return None
        if not isinstance(said, dict):
            return None
        user, article, interval = said.get("user_id"), said.get("article"), said.get("interval")
        if not isinstance(user, str) or not isinstance(article, str) or not isinstance(interval, str | None):
            return None
        return Ordered(user, article, interval) if user_named(user) else None


def additional_data(ordered: Ordered) -> str:
    """What `Event.ordered` reads."""
    return json.dumps({"user_id": ordered.user, "article": ordered.article, "interval": ordered.interval})
