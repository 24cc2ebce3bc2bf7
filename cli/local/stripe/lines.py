"""The lines of invoices."""

from datetime import UTC, datetime

from cli.local.stripe.account import Account
from cli.local.stripe.discounts import in_force, taken
from cli.local.stripe.periods import share
from cli.local.stripe.store import Object, new_id


def line(
    account: Account,
    subscription: Object,
    item: Object,
    *,
    amount: int,
    period: tuple[int, int],
    description: str,
    price: str | None = None,
    proration: bool = False,
) -> Object:
    """A line for one item of a subscription, at the item's price or at another one that it had."""
    of = account.store.get("price", price or item["price"])
    details = {
        "invoice_item": new_id("ii_") if proration else None,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": subscription["id"],
        "subscription_item": item["id"],
    }
    return {
        "id": new_id("il_"),
        "object": "line_item",
        "amount": amount,
        "currency": of["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": dict(subscription["metadata"]),
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": details,
            "invoice_item_details": None,
        },
        "period": {"start": period[0], "end": period[1]},
        "pretax_credit_amounts": [],
        "pricing": {
            "type": "price_details",
            "price_details": {"price": of["id"], "product": of["product"]},
            "unit_amount_decimal": of["unit_amount_decimal"],
        },
        "quantity": item["quantity"],
        "subscription": subscription["id"],
        "subtotal": amount,
        "taxes": [],
    }


def full(account: Account, subscription: Object, item: Object) -> Object:
    """A whole period of an item, or a trial of it for nothing."""
    price = account.store.get("price", item["price"])
    name = account.store.get("product", price["product"])["name"]
    period = (item["current_period_start"], item["current_period_end"])
    if subscription["status"] == "trialing":
        return line(account, subscription, item, amount=0, period=period, description=f"Trial period for {name}")
    amount = price["unit_amount"] * item["quantity"]
    cost = f"{item['quantity']} x {name} (at ${price['unit_amount'] / 100:.2f} / {price['recurring']['interval']})"
    return line(account, subscription, item, amount=amount, period=period, description=cost)


def unused(account: Account, subscription: Object, item: Object, moment: int) -> Object:
    """What was paid for the rest of an item's period, in the buyer's favour."""
    start, end = item["current_period_start"], item["current_period_end"]
    back = share(item["_paid"], end - moment, end - start)
    text = f"Unused time on {_name(account, item)} after {_day(moment)}"
    return line(account, subscription, item, amount=-back, period=(moment, end), description=text, proration=True)


def remaining(account: Account, subscription: Object, item: Object, moment: int) -> Object:
    """The rest of an item's period at the price that it has now."""
    start, end = item["current_period_start"], item["current_period_end"]
    price = account.store.get("price", item["price"])
    amount = share(net(account, subscription, price["unit_amount"] * item["quantity"]), end - moment, end - start)
    text = f"Remaining time on {_name(account, item)} after {_day(moment)}"
    return line(account, subscription, item, amount=amount, period=(moment, end), description=text, proration=True)


def net(account: Account, subscription: Object, amount: int) -> int:
    """An amount less what the subscription's discounts take off."""
    lasting = [one for one in in_force(account, subscription["discounts"]) if not one["_once"]]
    return amount - min(amount, sum(taken(account, one, amount) for one in lasting))


def _name(account: Account, item: Object) -> str:
    price = account.store.get("price", item["price"])
    return str(account.store.get("product", price["product"])["name"])


def _day(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%d %b %Y}"
