"""RevenueCat's events, as its documentation lists their fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import Field

from services.billing_svc.payments.amounts import minor
from services.billing_svc.payments.body import Amount, Currency, Milliseconds, Name, Said, printable
from services.billing_svc.payments.users import user_named

# RevenueCat gives a buyer fifty aliases at most.
NAMES_MAX = 1000

TEST = "TEST"
INITIAL_PURCHASE = "INITIAL_PURCHASE"
RENEWAL = "RENEWAL"
NON_RENEWING_PURCHASE = "NON_RENEWING_PURCHASE"
TEMPORARY_ENTITLEMENT_GRANT = "TEMPORARY_ENTITLEMENT_GRANT"
CANCELLATION = "CANCELLATION"
UNCANCELLATION = "UNCANCELLATION"
SUBSCRIPTION_PAUSED = "SUBSCRIPTION_PAUSED"
SUBSCRIPTION_EXTENDED = "SUBSCRIPTION_EXTENDED"
EXPIRATION = "EXPIRATION"
BILLING_ISSUE = "BILLING_ISSUE"
PRODUCT_CHANGE = "PRODUCT_CHANGE"
REFUND_REVERSED = "REFUND_REVERSED"
TRANSFER = "TRANSFER"

# Reasons of a CANCELLATION or an EXPIRATION.
REFUNDED = "CUSTOMER_SUPPORT"
BILLING_ERROR = "BILLING_ERROR"

CHARGES = frozenset({INITIAL_PURCHASE, RENEWAL, NON_RENEWING_PURCHASE})
PURCHASES = CHARGES | {
    TEMPORARY_ENTITLEMENT_GRANT,
    CANCELLATION,
    UNCANCELLATION,
    SUBSCRIPTION_PAUSED,
    SUBSCRIPTION_EXTENDED,
    EXPIRATION,
    BILLING_ISSUE,
    PRODUCT_CHANGE,
    REFUND_REVERSED,
}
# They say nothing of a purchase, but who is whom.
INFORMATION = frozenset(
    {"SUBSCRIBER_ALIAS", "INVOICE_ISSUANCE", "VIRTUAL_CURRENCY_TRANSACTION", "EXPERIMENT_ENROLLMENT"}
)
KNOWN = PURCHASES | INFORMATION | {TRANSFER}

Names = Annotated[tuple[str, ...], Field(max_length=NAMES_MAX)]


class Envelope(Said):
    """What every event has, of whatever type."""

    id: Name
    type: Name
    time: Milliseconds = Field(alias="event_timestamp_ms")


class Event(Envelope):
    """An event of a type that we know."""

    environment: str | None = None
    app_user_id: str | None = None
    original_app_user_id: str | None = None
    aliases: Names | None = None
    transferred_from: Names | None = None
    transferred_to: Names | None = None
    transaction_id: Name | None = None
    original_transaction_id: Name | None = None
    product_id: Name | None = None
    new_product_id: Name | None = None
    period_type: str | None = None
    cancel_reason: str | None = None
    expiration_reason: str | None = None
    purchase_time: Milliseconds | None = Field(None, alias="purchased_at_ms")
    expiration_time: Milliseconds | None = Field(None, alias="expiration_at_ms")
    grace_end: Milliseconds | None = Field(None, alias="grace_period_expiration_at_ms")
    resume_time: Milliseconds | None = Field(None, alias="auto_resume_at_ms")
    price: Amount | None = None
    price_in_purchased_currency: Amount | None = None
    currency: Currency | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """Where it stands among all events, whenever it arrived."""
        return self.time, self.id

    @property
    def key(self) -> str | None:
        """What it is about: a subscription, or a single purchase."""
        return (self.original_transaction_id or self.transaction_id) if self.type in PURCHASES else None

    @property
    def names(self) -> tuple[str, ...]:
        """All that the buyer is called, the present name first."""
        names = (self.app_user_id, self.original_app_user_id, *(self.aliases or ()))
        return tuple(dict.fromkeys(name for name in names if name and printable(name)))

    @property
    def from_names(self) -> frozenset[str]:
        """Who had the purchases that a TRANSFER moves."""
        return frozenset(name for name in self.transferred_from or () if printable(name))

    @property
    def to_names(self) -> tuple[str, ...]:
        """Who has them then."""
        return tuple(name for name in self.transferred_to or () if printable(name))

    @property
    def user(self) -> str | None:
        """The user of ours whom it names; None when all names are RevenueCat's own."""
        return first_user(self.names)

    @property
    def users(self) -> Iterator[str]:
        """Every user of ours whom it could mean."""
        return (name for name in (*self.names, *self.from_names, *self.to_names) if user_named(name))

    @property
    def trial(self) -> bool:
        return self.period_type == "TRIAL"

    @property
    def amount(self) -> tuple[int, str] | None:
        """What was charged, or below zero what went back, in the smallest unit; None when it says nothing."""
        if self.price_in_purchased_currency is not None and self.currency is not None:
            currency = self.currency
            return minor(self.price_in_purchased_currency, currency), currency
        return (minor(self.price, "usd"), "usd") if self.price is not None else None

    @property
    def refund(self) -> bool:
        """Whether money went back to the buyer."""
        if self.type != CANCELLATION:
            return False
        return self.cancel_reason == REFUNDED or (self.amount is not None and self.amount[0] < 0)

    def subjects(self) -> Iterator[str]:
        """What it shares with the events that it is to be folded with."""
        for name in {*self.names, *self.from_names, *self.to_names}:
            yield f"buyer:{name}"
        for purchase in {self.original_transaction_id, self.transaction_id}:
            if purchase and self.type in PURCHASES:
                yield f"purchase:{purchase}"


def first_user(names: tuple[str, ...]) -> str | None:
    """The first of a buyer's names that a user of ours can have."""
    return next((name for name in names if user_named(name)), None)
