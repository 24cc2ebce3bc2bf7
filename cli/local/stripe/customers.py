"""Customers."""

import secrets

from cli.local.stripe import cards, subscribing
from cli.local.stripe.account import CURRENCY, Account, made
from cli.local.stripe.events import changing, happened
from cli.local.stripe.params import Params
from cli.local.stripe.store import Object, new_id

NAMES = (
    "address", "description", "email", "expand", "invoice_settings", "metadata", "name", "payment_method", "phone",
    "preferred_locales",
)  # fmt: skip


def create(account: Account, params: Params) -> Object:
    customer = add(account, params.text("email"), params.metadata(), params.text("name"))
    customer["description"], customer["phone"] = params.text("description"), params.text("phone")
    if (method := params.text("payment_method")) is not None:
        cards.attach(account, method, customer["id"])
    _settings(account, customer, params)
    return customer


def add(account: Account, email: str | None, metadata: dict[str, str], name: str | None = None) -> Object:
    customer = made(
        account,
        "customer",
        new_id("cus_", 14),
        address=None,
        balance=0,
        currency=CURRENCY,
        customer_account=None,
        default_source=None,
        delinquent=False,
        description=None,
        discount=None,
        email=email,
        invoice_prefix=secrets.token_hex(4).upper(),
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        metadata=metadata,
        name=name,
        next_invoice_sequence=1,
        phone=None,
        preferred_locales=[],
        shipping=None,
        tax_exempt="none",
        test_clock=None,
        _deleted=False,
        # How many of the next payments are to fail, because somebody wanted to see that.
        _failures=0,
    )
    account.store.add("customer", customer)
    happened(account, "customer.created", customer)
    return customer


def delete(account: Account, identity: str) -> Object:
    """Deletes a customer and ends what they subscribed to; the object stays, to say that it was there."""
    cards.owner(account, identity)
    for subscription in account.store.all("subscription"):
        if subscription["customer"] == identity and subscription["status"] not in subscribing.ENDED:
            subscribing.end(account, subscription["id"], "cancellation_requested")
    customer = account.store.edit("customer", identity)
    happened(account, "customer.deleted", customer)
    customer["_deleted"] = True
    return customer


def update(account: Account, identity: str, params: Params) -> Object:
    cards.owner(account, identity)
    with changing(account, "customer", identity, "customer.updated") as customer:
        for name in ("email", "name", "description", "phone"):
            if name in params:
                customer[name] = params.text(name)
        customer["metadata"] = params.metadata(customer["metadata"])
        _settings(account, customer, params)
    return customer


def _settings(account: Account, customer: Object, params: Params) -> None:
    settings = params.within("invoice_settings").only("default_payment_method")
    if (method := settings.text("default_payment_method")) is not None:
        customer["invoice_settings"]["default_payment_method"] = cards.had(account, method, customer["id"])["id"]


def pay_with(account: Account, identity: str, card: str) -> Object:
    """Gives a customer another card, for everything that is still to be paid."""
    method = cards.attach(account, card, identity)
    with changing(account, "customer", identity, "customer.updated") as customer:
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    for subscription in account.store.all("subscription"):
        if subscription["customer"] == identity and subscription["default_payment_method"]:
            with changing(account, "subscription", subscription["id"], "customer.subscription.updated") as changed:
                changed["default_payment_method"] = method["id"]
    return method
