"""Promotion codes: who may use one, and what it takes off."""

from cli.local.stripe.account import Account, made
from cli.local.stripe.params import Params
from cli.local.stripe.periods import later, share
from cli.local.stripe.refusal import Refusal, invalid
from cli.local.stripe.store import Object, new_id


def usable(account: Account, code: Object) -> bool:
    """Whether a promotion code can still be used by somebody."""
    spent = code["max_redemptions"] is not None and code["times_redeemed"] >= code["max_redemptions"]
    over = code["expires_at"] is not None and code["expires_at"] <= account.now()
    return bool(code["active"]) and not spent and not over


def chosen(account: Account, params: Params) -> list[Object]:
    """The promotion codes or coupons that a request names, as {"coupon", "promotion_code"}."""
    found = []
    for one in params.each("discounts"):
        one.only("coupon", "promotion_code").one_of("coupon", "promotion_code")
        if (name := one.text("promotion_code")) is not None:
            code = account.store.get("promotion_code", name, one.path("promotion_code"))
            if not usable(account, code):
                raise invalid("This promotion code is not active.", one.path("promotion_code"))
            found.append({"coupon": code["promotion"]["coupon"], "promotion_code": name})
        else:
            coupon = account.store.get("coupon", one.needed("coupon"), one.path("coupon"))
            found.append({"coupon": coupon["id"], "promotion_code": None})
    return found


def check(account: Account, picked: list[Object], customer: str | None, amount: int) -> None:
    """Raises Refusal for a code that is not for this buyer or this amount."""
    for one in picked:
        if one["promotion_code"] is None:
            continue
        terms = account.store.get("promotion_code", one["promotion_code"])
        least = terms["restrictions"]["minimum_amount"]
        if terms["customer"] not in (None, customer):
            raise Refusal("This promotion code cannot be redeemed by this customer.", param="discounts")
        if least is not None and amount < least:
            raise Refusal("This promotion code needs a larger order.", param="discounts")
        paid = any(charge["customer"] == customer and charge["paid"] for charge in account.store.all("charge"))
        if terms["restrictions"]["first_time_transaction"] and customer is not None and paid:
            raise Refusal(
                "This promotion code cannot be redeemed because the associated customer has prior transactions.",
                code="promotion_code_customer_not_first_time",
                param="discounts",
            )


def off(account: Account, picked: list[Object], amount: int) -> int:
    """What the codes take off an amount."""
    return min(amount, sum(_off(account.store.get("coupon", one["coupon"]), amount) for one in picked))


def _off(coupon: Object, amount: int) -> int:
    if coupon["percent_off"] is not None:
        return share(amount, round(coupon["percent_off"] * 100), 10_000)
    return int(coupon["amount_off"])


def redeem(account: Account, picked: list[Object], customer: str, subscription: str | None, session: str) -> list[str]:
    """Uses the codes up; the ids of the discounts that come of it."""
    ids = []
    for one in picked:
        coupon = account.store.edit("coupon", one["coupon"])
        coupon["times_redeemed"] += 1
        if one["promotion_code"] is not None:
            account.store.edit("promotion_code", one["promotion_code"])["times_redeemed"] += 1
        months = coupon["duration_in_months"]
        discount = made(
            account,
            "discount",
            new_id("di_"),
            checkout_session=session,
            customer=customer,
            customer_account=None,
            end=later(account.now(), "month", months) if coupon["duration"] == "repeating" and months else None,
            invoice=None,
            invoice_item=None,
            promotion_code=one["promotion_code"],
            source={"type": "coupon", "coupon": coupon["id"]},
            start=account.now(),
            subscription=subscription,
            subscription_item=None,
            _once=coupon["duration"] == "once",
        )
        ids.append(account.store.add("discount", discount)["id"])
    return ids


def in_force(account: Account, ids: list[str]) -> list[Object]:
    """Those of a subscription's discounts that take something off now."""
    found = [account.store.get("discount", identity) for identity in ids]
    return [one for one in found if one["end"] is None or one["end"] > account.now()]


def taken(account: Account, discount: Object, amount: int) -> int:
    """What one discount takes off an amount."""
    return min(amount, _off(account.store.get("coupon", discount["source"]["coupon"]), amount))
