"""Lemon Squeezy's objects, as its documentation lists their attributes, and the notices that bring them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from services.billing_svc.payments.body import Currency, Id, Minor, Moment, Name, Receipt, Said
from services.billing_svc.payments.users import user_named

# Of two states of an object that were saved within one second, the one further right is the later one.
SUBSCRIPTION_STATUSES = ("on_trial", "active", "paused", "past_due", "unpaid", "cancelled", "expired")
CHARGE_STATUSES = ("pending", "failed", "void", "paid", "partial_refund", "refunded", "fraudulent")


class Meta(Said):
    event_name: Name
    custom_data: Any = None
    test_mode: bool = False


class Data(Said):
    type: Name
    id: Id
    attributes: dict[str, Any] = Field(default_factory=dict)


class Notice(Said):
    """The whole body. `custom_data` is what we gave with the checkout; not every notice has it."""

    meta: Meta
    data: Data

    @property
    def user(self) -> str | None:
        """The user of ours whom it names."""
        custom = self.meta.custom_data
        named = custom.get("user_id") if isinstance(custom, dict) else None
        return user_named(str(named)) if isinstance(named, str | int) and not isinstance(named, bool) else None


class Stamp(Said):
    """What every object has."""

    updated_at: Moment | None = None
    test_mode: bool = False


class Pause(Said):
    resumes_at: Moment | None = None


class Subscription(Said):
    type: ClassVar[str] = "subscriptions"

    customer_id: Id
    order_id: Id | None = None
    variant_id: Id
    status: Name
    pause: Pause | None = None
    trial_ends_at: Moment | None = None
    renews_at: Moment | None = None
    ends_at: Moment | None = None
    created_at: Moment
    updated_at: Moment
    test_mode: bool = False

    @property
    def known(self) -> bool:
        """Whether its status is one that we know."""
        return self.status in SUBSCRIPTION_STATUSES

    @property
    def rank(self) -> int:
        return SUBSCRIPTION_STATUSES.index(self.status) if self.known else -1

    def subjects(self, name: str) -> tuple[str, ...]:
        return (f"subscription:{name}", *([f"order:{self.order_id}"] if self.order_id else []))


class _Charge(Said):
    """What invoices and orders have in common."""

    status: Name
    total: Minor
    currency: Currency
    refunded: bool | None = None
    refunded_amount: Minor | None = None
    created_at: Moment
    updated_at: Moment
    test_mode: bool = False

    @property
    def rank(self) -> int:
        return CHARGE_STATUSES.index(self.status) if self.status in CHARGE_STATUSES else -1

    @property
    def returned(self) -> int:
        """What went back to the buyer."""
        whole = self.refunded or self.status == "refunded"
        return self.total if whole else min(self.refunded_amount or 0, self.total)


class InvoiceLinks(Said):
    invoice_url: Receipt = ""


class Invoice(_Charge):
    type: ClassVar[str] = "subscription-invoices"

    subscription_id: Id
    billing_reason: Name | None = None
    urls: InvoiceLinks = InvoiceLinks()

    def subjects(self, name: str) -> tuple[str, ...]:
        return (f"subscription:{self.subscription_id}",)


class OrderItem(Said):
    variant_id: Id
    quantity: Annotated[int, Field(ge=1, le=1000)] = 1


class OrderLinks(Said):
    receipt: Receipt = ""


class Order(_Charge):
    type: ClassVar[str] = "orders"

    first_order_item: OrderItem | None = None
    urls: OrderLinks = OrderLinks()

    def subjects(self, name: str) -> tuple[str, ...]:
        return (f"order:{name}",)


Object = Subscription | Invoice | Order
OBJECTS: dict[str, type[Object]] = {model.type: model for model in (Subscription, Invoice, Order)}
