"""`expand`: ids that become the objects that they name."""

from cli.local.stripe.account import Account
from cli.local.stripe.collecting import payments_of
from cli.local.stripe.refusal import Refusal
from cli.local.stripe.store import Object
from cli.local.stripe.views import a_list, render

# Stripe's own limit.
DEPTH_MAX = 4

# What a name refers to.
KINDS = {
    "charge": "charge",
    "coupon": "coupon",
    "customer": "customer",
    "default_payment_method": "payment_method",
    "discounts": "discount",
    "invoice": "invoice",
    "latest_charge": "charge",
    "latest_invoice": "invoice",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "price": "price",
    "product": "product",
    "promotion_code": "promotion_code",
    "schedule": "subscription_schedule",
    "subscription": "subscription",
}


def expand(account: Account, shown: Object, paths: list[str]) -> Object:
    """Puts the objects of the paths into what is shown."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEPTH_MAX:
            raise Refusal(f"You cannot expand more than {DEPTH_MAX} levels of a property: {path}", param="expand")
        _expand(account, shown, steps, path)
    return shown


def _expand(account: Account, shown: Object, steps: list[str], path: str) -> None:
    step, rest = steps[0], steps[1:]
    if step not in shown and (inner := _included(account, shown, step)) is not None:
        shown[step] = inner
    if step not in shown:
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    value = shown[step]
    if isinstance(value, str) and step in KINDS:
        value = shown[step] = render(account, account.store.get(KINDS[step], value))
    elif isinstance(value, list) and step in KINDS:
        value = shown[step] = [
            render(account, account.store.get(KINDS[step], one)) if isinstance(one, str) else one for one in value
        ]
    elif not rest and not isinstance(value, dict | list | None):
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    for one in value if isinstance(value, list) else [value]:
        if rest and isinstance(one, dict):
            _expand(account, one, rest, path)


def _included(account: Account, shown: Object, name: str) -> Object | None:
    """A list that is left out unless it is asked for."""
    match shown.get("object"), name:
        case "invoice", "payments":
            found = payments_of(account, shown["id"])
            url = f"/v1/invoice_payments?invoice={shown['id']}"
        case "charge", "refunds":
            found = [one for one in account.store.all("refund") if one["charge"] == shown["id"]]
            url = f"/v1/charges/{shown['id']}/refunds"
        case "checkout.session", "line_items":
            lines = account.store.get("checkout.session", shown["id"])["_lines"]
            return a_list(f"/v1/checkout/sessions/{shown['id']}/line_items", [dict(line) for line in lines])
        case _:
            return None
    return a_list(url, [render(account, one) for one in found])
