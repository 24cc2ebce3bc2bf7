"""Objects as Stripe shows them."""

from collections.abc import Callable

from cli.local.stripe.account import Account
from cli.local.stripe.discounts import usable
from cli.local.stripe.store import Object


def render(account: Account, item: Object) -> Object:
    """What the API and the events say of an object; of one that was deleted, little more than that."""
    if item.get("_deleted"):
        return {"id": item["id"], "object": item["object"], "deleted": True}
    shown = {name: value for name, value in item.items() if not name.startswith("_")}
    view = VIEWS.get(item["object"])
    return {**shown, **view(account, item)} if view else shown


def a_list(url: str, data: list[Object], *, more: bool = False) -> Object:
    return {"object": "list", "data": data, "has_more": more, "url": url}


def _plan(price: Object) -> Object:
    """The older word for a price, which subscription items still carry."""
    recurring = price["recurring"] or {}
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring.get("interval"),
        "interval_count": recurring.get("interval_count"),
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }


def _item(account: Account, item: Object) -> Object:
    price = account.store.get("price", item["price"])
    shown = {name: value for name, value in item.items() if not name.startswith("_")}
    return {**shown, "price": render(account, price), "plan": _plan(price)}


def _subscription(account: Account, item: Object) -> Object:
    data = [_item(account, one) for one in item["items"]]
    return {"items": a_list(f"/v1/subscription_items?subscription={item['id']}", data)}


def _invoice(account: Account, item: Object) -> Object:
    url = f"{account.url}/invoice/{item['id']}" if item["status"] != "draft" else None
    lines = a_list(f"/v1/invoices/{item['id']}/lines", [dict(line) for line in item["lines"]])
    return {"lines": {**lines, "total_count": len(item["lines"])}, "hosted_invoice_url": url, "invoice_pdf": url}


def _session(account: Account, item: Object) -> Object:
    return {"url": f"{account.url}/pay/{item['id']}" if item["status"] == "open" else None}


def _portal(account: Account, item: Object) -> Object:
    return {"url": f"{account.url}/portal/{item['id']}"}


def _charge(account: Account, item: Object) -> Object:
    return {"receipt_url": f"{account.url}/receipt/{item['id']}" if item["paid"] else None}


def _promotion_code(account: Account, item: Object) -> Object:
    return {"active": usable(account, item)}


VIEWS: dict[str, Callable[[Account, Object], Object]] = {
    "subscription": _subscription,
    "invoice": _invoice,
    "checkout.session": _session,
    "billing_portal.session": _portal,
    "charge": _charge,
    "promotion_code": _promotion_code,
}
