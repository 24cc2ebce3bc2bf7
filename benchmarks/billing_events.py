"""Webhooks of the shape of Stripe's, signed as Stripe signs them."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass

SECRET = "whsec_benchmark"
USERS = 500
LINES = 3


@dataclass(frozen=True)
class Post:
    """A request: its signature, and its body."""

    signature: str
    body: bytes


def post(number: int) -> Post:
    """A signed event that no other number has."""
    body = json.dumps(_event(number)).encode()
    now = int(time.time())
    proof = hmac.new(SECRET.encode(), b"%d." % now + body, hashlib.sha256).hexdigest()
    return Post(f"t={now},v1={proof}", body)


def _event(number: int) -> dict[str, object]:
    """That an invoice was paid: some 4 KB, as a real one."""
    return {
        "id": f"evt_benchmark{number:012}",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": int(time.time()),
        "type": "invoice.paid",
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": _invoice(number)},
    }


def _invoice(number: int) -> dict[str, object]:
    user = number % USERS
    return {
        "id": f"in_benchmark{number:012}",
        "object": "invoice",
        "account_country": "US",
        "account_name": "A shop that is none",
        "amount_due": 1499,
        "amount_paid": 1499,
        "amount_remaining": 0,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": False,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None, "status": None},
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": int(time.time()),
        "currency": "usd",
        "customer": f"cus_benchmark{user}",
        "customer_address": {"city": None, "country": "US", "line1": None, "postal_code": "10001", "state": None},
        "customer_email": f"user{user}@example.org",
        "default_payment_method": None,
        "description": None,
        "discounts": [],
        "hosted_invoice_url": f"https://invoice.example.org/i/acct_benchmark/{number:0120}",
        "invoice_pdf": f"https://invoice.example.org/i/acct_benchmark/{number:0120}/pdf",
        "lines": {"object": "list", "data": [_line(number, line) for line in range(LINES)], "has_more": False},
        "metadata": {},
        "number": f"BENCH-{number:08}",
        "parent": {
            "type": "subscription_details",
            "subscription_details": {"metadata": {"user_id": f"user{user}"}, "subscription": f"sub_benchmark{user}"},
        },
        "status": "paid",
        "status_transitions": {"finalized_at": int(time.time()), "paid_at": int(time.time()), "voided_at": None},
        "subtotal": 1499,
        "total": 1499,
    }


def _line(number: int, line: int) -> dict[str, object]:
    return {
        "id": f"il_benchmark{number:012}{line}",
        "object": "line_item",
        "amount": 1499 if line == 0 else 0,
        "currency": "usd",
        "description": "Pro (at $14.99 / month)",
        "discount_amounts": [],
        "discountable": True,
        "livemode": False,
        "metadata": {},
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": f"sub_benchmark{number % USERS}",
                "subscription_item": f"si_benchmark{number % USERS}",
            },
        },
        "period": {"end": int(time.time()) + 2_592_000, "start": int(time.time())},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": "price_pro_month", "product": "prod_pro"},
            "type": "price_details",
            "unit_amount_decimal": "1499",
        },
        "quantity": 1,
        "taxes": [],
    }
