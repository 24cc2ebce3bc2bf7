"""Stripe's objects as its API says them, as small as they can be."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from stripe import Charge, Dispute, Invoice, PaymentIntent, StripeObject, Subscription

from services.billing_svc.payments.stripe.objects import Json
from tests.service.billing_svc.shop import MONTH, NOW

START, END = NOW, NOW + MONTH


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def read(model: type[StripeObject], values: dict[str, Any]) -> Json:
    """The object as it comes out of the SDK."""
    return model.construct_from(values, "sk_test_none").to_dict()


def subscription(price: str = "price_pro_month", **others: Any) -> Json:
    item = {
        "id": "si_1",
        "price": {"id": price, "object": "price"},
        "current_period_start": seconds(START),
        "current_period_end": seconds(END),
    }
    values = {
        "id": "sub_1",
        "object": "subscription",
        "status": "active",
        "customer": "cus_ann",
        "metadata": {"user_id": "ann"},
        "start_date": seconds(START - MONTH),
        "items": {"object": "list", "data": [item]},
        "latest_invoice": invoice(),
        "cancel_at": None,
        "cancel_at_period_end": False,
        "pause_collection": None,
        "schedule": None,
        "trial_start": None,
        "ended_at": None,
    }
    return read(Subscription, values | others)


def schedule(price: str, status: str = "active") -> dict[str, Any]:
    """One that goes to another price when the period ends."""
    start, end = seconds(START), seconds(END)
    return {
        "id": "sub_sched_1",
        "object": "subscription_schedule",
        "status": status,
        "current_phase": {"start_date": start, "end_date": end},
        "phases": [
            {"start_date": start, "end_date": end, "items": [{"price": "price_pro_month"}]},
            {"start_date": end, "end_date": end + 1, "items": [{"price": price}]},
        ],
    }


def line(price: str = "price_pro_month", cents: int = 1499, *, proration: bool = False, name: str = "il_1") -> Json:
    details = {"subscription": "sub_1", "proration": proration}
    return {
        "id": name,
        "object": "line_item",
        "amount": cents,
        "period": {"start": seconds(START), "end": seconds(END)},
        "pricing": {"type": "price_details", "price_details": {"price": price, "product": "prod_1"}},
        "parent": {"type": "subscription_item_details", "subscription_item_details": details},
    }


def invoice(status: str = "paid", *lines: Json, **others: Any) -> dict[str, Any]:
    listed = lines or (line(),)
    cents = sum(one["amount"] for one in listed)
    payment = {"id": "inpay_1", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}
    return {
        "id": "in_1",
        "object": "invoice",
        "status": status,
        "billing_reason": "subscription_cycle",
        "customer": "cus_ann",
        "amount_due": cents,
        "attempt_count": 1,
        "currency": "usd",
        "created": seconds(START),
        "number": "A-1",
        "hosted_invoice_url": "https://stripe.invalid/in_1",
        "parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}},
        "lines": {"object": "list", "data": list(listed)},
        "payments": {"object": "list", "data": [payment]},
    } | others


def invoiced(status: str = "paid", *lines: Json, **others: Any) -> Json:
    return read(Invoice, invoice(status, *lines, **others))


def intent(status: str = "succeeded", **others: Any) -> Json:
    values = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": status,
        "amount": 499,
        "currency": "usd",
        "created": seconds(START),
        "customer": "cus_ann",
        "metadata": {"user_id": "ann", "pack": "small"},
        "last_payment_error": None,
    }
    return read(PaymentIntent, values | others)


def charge(refunded: int, *, disputed: bool = False) -> Json:
    return read(Charge, {"id": "ch_1", "object": "charge", "amount_refunded": refunded, "disputed": disputed})


def dispute(status: str, cents: int) -> Json:
    return read(Dispute, {"id": "dp_1", "object": "dispute", "status": status, "amount": cents})


def later(**duration: float) -> datetime:
    return START + timedelta(**duration)
