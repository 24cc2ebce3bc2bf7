"""What is sold: products and prices out of plans.toml, and two promotion codes."""

import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from cli.local.stripe.account import CURRENCY, Account, made
from cli.local.stripe.store import Object

# The code that a buyer types, and what it takes off.
COUPONS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("WELCOME50", {"name": "Half price to begin with", "percent_off": 50.0, "duration": "once"}),
    ("FRIEND20", {"name": "A friend's fifth", "percent_off": 20.0, "duration": "repeating", "duration_in_months": 3}),
)


def stock(account: Account, plans: Path) -> None:
    """Makes what the file sells by the test environment's Stripe ids; what is there already gets its new price."""
    told = tomllib.loads(plans.read_text(), parse_float=Decimal)
    ids = told.get("environment", {}).get("test", {}).get("stripe", {})
    for article, named in ids.items():
        product, cents, interval = _article(told, article)
        _keep(account, product)
        for name in [named] if isinstance(named, str) else named:
            _keep(account, _price(account, name, product["id"], cents, interval))
    for code, terms in COUPONS:
        if account.store.find("coupon", code.lower()) is None:
            account.store.add("coupon", coupon(account, code.lower(), **terms))
            account.store.add("promotion_code", promotion_code(account, f"promo_{code.lower()}", code, code.lower()))


def _keep(account: Account, item: Object) -> None:
    if (known := account.store.find(item["object"], item["id"])) is not None:
        item["created"] = known["created"]
        account.store.edit(item["object"], item["id"]).update(item)
    else:
        account.store.add(item["object"], item)


def _article(told: Mapping[str, Any], article: str) -> tuple[Object, int, str | None]:
    """The product of `plans/pro/month` or `packs/small`, its price in cents, and how often it is paid."""
    kind, slug, *interval = article.split("/")
    found = next(_named(told, kind.removesuffix("s"), slug), None)
    if found is None:
        raise ValueError(f"plans.toml sells {article}, which it does not describe.")
    if kind == "packs":
        product = {"id": f"prod_credits_{slug}", "name": f"{found['display_name']}"}
        return _product(product), _cents(found["amount"]), None
    price = found["prices"][interval[0]]
    amount = price["amount"] if isinstance(price, dict) else price
    return _product({"id": f"prod_{slug}", "name": found["display_name"]}), _cents(amount), interval[0]


def _named(told: Mapping[str, Any], kind: str, slug: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in told.get(kind, []) if one["slug"] == slug)


def _cents(amount: Decimal | int) -> int:
    return int(Decimal(amount) * 100)


def _product(named: Object) -> Object:
    return {
        **named,
        "object": "product",
        "created": 0,
        "livemode": False,
        "active": True,
        "metadata": {},
        "type": "service",
    }


def _price(account: Account, name: str, product: str, cents: int, interval: str | None) -> Object:
    recurring = {
        "interval": interval,
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return made(
        account,
        "price",
        name,
        active=True,
        billing_scheme="per_unit",
        currency=CURRENCY,
        custom_unit_amount=None,
        lookup_key=None,
        metadata={},
        nickname=None,
        product=product,
        recurring=recurring if interval else None,
        tax_behavior="unspecified",
        tiers_mode=None,
        transform_quantity=None,
        type="recurring" if interval else "one_time",
        unit_amount=cents,
        unit_amount_decimal=str(cents),
    )


def coupon(account: Account, identity: str, **terms: Any) -> Object:
    blank = dict.fromkeys(
        ("amount_off", "currency", "duration_in_months", "max_redemptions", "name", "percent_off", "redeem_by")
    )
    return made(account, "coupon", identity, **{**blank, **terms}, metadata={}, times_redeemed=0, valid=True)


def promotion_code(account: Account, identity: str, code: str, of: str, **terms: Any) -> Object:
    restrictions = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    blank = {"customer": None, "expires_at": None, "max_redemptions": None, "restrictions": restrictions}
    return made(
        account,
        "promotion_code",
        identity,
        **{**blank, **terms},
        active=True,
        code=code,
        customer_account=None,
        metadata={},
        promotion={"type": "coupon", "coupon": of},
        times_redeemed=0,
    )
