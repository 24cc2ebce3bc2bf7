"""Coupons and promotion codes that are made through the API."""

from cli.local.stripe import catalogue
from cli.local.stripe.account import CURRENCY, Account
from cli.local.stripe.params import Params
from cli.local.stripe.refusal import invalid
from cli.local.stripe.store import Object, new_id

COUPON = (
    "amount_off",
    "currency",
    "duration",
    "duration_in_months",
    "id",
    "max_redemptions",
    "metadata",
    "name",
    "percent_off",
)
CODE = ("active", "code", "customer", "expires_at", "max_redemptions", "metadata", "promotion", "restrictions")


def coupon(account: Account, params: Params) -> Object:
    params.one_of("amount_off", "percent_off")
    percent = params.whole("percent_off", 1, 100)
    amount = params.whole("amount_off", 1)
    if percent is None and amount is None:
        raise invalid("You must pass either amount_off or percent_off.", "percent_off", "parameter_missing")
    made = catalogue.coupon(
        account,
        params.text("id") or new_id("", 8),
        amount_off=amount,
        currency=CURRENCY if amount else None,
        duration=params.choice("duration", "forever", "once", "repeating") or "once",
        duration_in_months=params.whole("duration_in_months", 1, 36),
        name=params.text("name"),
        percent_off=float(percent) if percent else None,
    )
    return account.store.add("coupon", {**made, "metadata": params.metadata()})


def code(account: Account, params: Params) -> Object:
    promotion = params.within("promotion").only("coupon", "type")
    promotion.needed("type")
    of = account.store.get("coupon", promotion.needed("coupon"), promotion.path("coupon"))
    restrictions = params.within("restrictions").only(
        "first_time_transaction", "minimum_amount", "minimum_amount_currency"
    )
    text = params.text("code") or new_id("", 8).upper()
    if any(one["code"].lower() == text.lower() for one in account.store.all("promotion_code")):
        raise invalid(f"An active promotion code with `code: {text}` already exists.", "code")
    least = restrictions.whole("minimum_amount", 1)
    made = catalogue.promotion_code(
        account,
        new_id("promo_"),
        text,
        of["id"],
        customer=params.text("customer"),
        expires_at=params.whole("expires_at", account.now()),
        max_redemptions=params.whole("max_redemptions", 1),
        restrictions={
            "first_time_transaction": bool(restrictions.flag("first_time_transaction")),
            "minimum_amount": least,
            "minimum_amount_currency": CURRENCY if least else None,
        },
    )
    return account.store.add("promotion_code", {**made, "metadata": params.metadata()})
