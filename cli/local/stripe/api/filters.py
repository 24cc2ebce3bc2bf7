"""What some lists can be narrowed to."""

from cli.local.stripe.account import Account
from cli.local.stripe.api.listing import NAMES as PAGE
from cli.local.stripe.api.listing import listing
from cli.local.stripe.collecting import subscription_of
from cli.local.stripe.params import Params
from cli.local.stripe.store import Object
from cli.local.stripe.subscribing import ENDED
from cli.local.stripe.views import render


def of_subscription(_: Account, one: Object, value: str) -> bool:
    return subscription_of(one) == value


def email(_: Account, one: Object, value: str) -> bool:
    return bool((one["email"] or "").lower() == value.lower())


def code(_: Account, one: Object, value: str) -> bool:
    return bool(one["code"].lower() == value.lower())


def active(account: Account, one: Object, value: str) -> bool:
    return bool(render(account, one)["active"] == (value == "true"))


def event_type(_: Account, one: Object, value: str) -> bool:
    return bool(one["type"] == value or (value.endswith("*") and one["type"].startswith(value[:-1])))


def subscriptions(account: Account, _: str, params: Params) -> Object:
    """Ended ones are listed only when they are asked for."""
    params.only(*PAGE, "collection_method", "customer", "price", "status")
    customer, price, status = (params.text(name) for name in ("customer", "price", "status"))

    def wanted(one: Object) -> bool:
        ended = one["status"] in ENDED
        right = not ended if status is None else status in ("all", one["status"]) or (status == "ended" and ended)
        prices = [item["price"] for item in one["items"]]
        return right and customer in (None, one["customer"]) and (price is None or price in prices)

    return listing(account, "/v1/subscriptions", "subscription", params, wanted)


def invoice_payments(account: Account, _: str, params: Params) -> Object:
    params.only(*PAGE, "invoice", "payment", "status")
    payment = params.within("payment").only("payment_intent", "type")
    if "payment" in params:
        payment.needed("type")
    intent, invoice, status = payment.text("payment_intent"), params.text("invoice"), params.text("status")

    def wanted(one: Object) -> bool:
        paid_by = one["payment"]["payment_intent"]
        return invoice in (None, one["invoice"]) and status in (None, one["status"]) and intent in (None, paid_by)

    return listing(account, "/v1/invoice_payments", "invoice_payment", params, wanted)
