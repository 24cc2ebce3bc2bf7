"""What the API can do, path by path."""

from typing import NamedTuple

from cli.local.stripe import (
    cards,
    changing,
    checkout,
    customers,
    portal,
    preview,
    promoting,
    returning,
    schedules,
    subscribing,
)
from cli.local.stripe.account import Account
from cli.local.stripe.api import filters, intents
from cli.local.stripe.api.handlers import Handler, acts, changes, lists, makes, retrieves
from cli.local.stripe.params import Params
from cli.local.stripe.store import Object

REFUND = ("amount", "charge", "metadata", "payment_intent", "reason")
SCHEDULE = ("default_settings", "end_behavior", "metadata", "phases", "proration_behavior")


class Path(NamedTuple):
    """One call."""

    method: str
    path: str
    handler: Handler


def _cancel(account: Account, identity: str, _: Params) -> Object:
    return subscribing.end(account, identity, "cancellation_requested")


def _attach(account: Account, identity: str, params: Params) -> Object:
    return cards.attach(account, identity, params.needed("customer"))


PATHS = (
    Path("POST", "/v1/customers", makes(customers.NAMES, customers.create)),
    Path("GET", "/v1/customers", lists("/v1/customers", "customer", email=filters.email)),
    Path("GET", "/v1/customers/{id}", retrieves("customer")),
    Path("POST", "/v1/customers/{id}", changes(customers.NAMES, customers.update)),
    Path("DELETE", "/v1/customers/{id}", acts(customers.delete)),
    Path("GET", "/v1/payment_methods", lists("/v1/payment_methods", "payment_method", "customer", "type")),
    Path("GET", "/v1/payment_methods/{id}", retrieves("payment_method")),
    Path("POST", "/v1/payment_methods/{id}/attach", changes(("customer",), _attach)),
    Path("GET", "/v1/products/{id}", retrieves("product")),
    Path("GET", "/v1/prices", lists("/v1/prices", "price", "product", "type", active=filters.active)),
    Path("GET", "/v1/prices/{id}", retrieves("price")),
    Path("POST", "/v1/coupons", makes(promoting.COUPON, promoting.coupon)),
    Path("GET", "/v1/coupons", lists("/v1/coupons", "coupon")),
    Path("GET", "/v1/coupons/{id}", retrieves("coupon")),
    Path("POST", "/v1/promotion_codes", makes(promoting.CODE, promoting.code)),
    Path(
        "GET",
        "/v1/promotion_codes",
        lists("/v1/promotion_codes", "promotion_code", "customer", code=filters.code, active=filters.active),
    ),
    Path("GET", "/v1/promotion_codes/{id}", retrieves("promotion_code")),
    Path("POST", "/v1/checkout/sessions", makes(checkout.NAMES, checkout.create)),
    Path(
        "GET",
        "/v1/checkout/sessions",
        lists("/v1/checkout/sessions", "checkout.session", "customer", "payment_intent", "status", "subscription"),
    ),
    Path("GET", "/v1/checkout/sessions/{id}", retrieves("checkout.session")),
    Path("POST", "/v1/checkout/sessions/{id}/expire", acts(checkout.expire)),
    Path("POST", "/v1/billing_portal/sessions", makes(portal.NAMES, portal.create)),
    Path("GET", "/v1/subscriptions", filters.subscriptions),
    Path("GET", "/v1/subscriptions/{id}", retrieves("subscription")),
    Path("POST", "/v1/subscriptions/{id}", changes(changing.NAMES, changing.update)),
    Path("DELETE", "/v1/subscriptions/{id}", changes(("cancellation_details", "invoice_now", "prorate"), _cancel)),
    Path("POST", "/v1/subscription_schedules", makes(("from_subscription", "metadata"), schedules.create)),
    Path("GET", "/v1/subscription_schedules/{id}", retrieves("subscription_schedule")),
    Path("POST", "/v1/subscription_schedules/{id}", changes(SCHEDULE, schedules.update)),
    Path("POST", "/v1/subscription_schedules/{id}/release", acts(schedules.release, "preserve_cancel_date")),
    Path("POST", "/v1/invoices/create_preview", preview.create),
    Path(
        "GET",
        "/v1/invoices",
        lists("/v1/invoices", "invoice", "customer", "status", subscription=filters.of_subscription),
    ),
    Path("GET", "/v1/invoices/{id}", retrieves("invoice")),
    Path("GET", "/v1/invoice_payments", filters.invoice_payments),
    Path("GET", "/v1/invoice_payments/{id}", retrieves("invoice_payment")),
    Path("POST", "/v1/payment_intents", makes(intents.NAMES, intents.create)),
    Path("GET", "/v1/payment_intents", lists("/v1/payment_intents", "payment_intent", "customer")),
    Path("GET", "/v1/payment_intents/{id}", retrieves("payment_intent", "client_secret")),
    Path("GET", "/v1/charges", lists("/v1/charges", "charge", "customer", "payment_intent")),
    Path("GET", "/v1/charges/{id}", retrieves("charge")),
    Path("POST", "/v1/refunds", makes(REFUND, returning.create)),
    Path("GET", "/v1/refunds", lists("/v1/refunds", "refund", "charge", "payment_intent")),
    Path("GET", "/v1/refunds/{id}", retrieves("refund")),
    Path("GET", "/v1/disputes", lists("/v1/disputes", "dispute", "charge", "payment_intent")),
    Path("GET", "/v1/disputes/{id}", retrieves("dispute")),
    Path("GET", "/v1/events", lists("/v1/events", "event", type=filters.event_type)),
    Path("GET", "/v1/events/{id}", retrieves("event")),
)
