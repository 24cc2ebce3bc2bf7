"""Amounts as providers say them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from services.billing_svc.convert.money import WHOLE


def minor(amount: Decimal, currency: str) -> int:
    """An amount in the currency's smallest unit."""
    exponent = 0 if currency.upper() in WHOLE else 2
    return int(amount.scaleb(exponent).quantize(Decimal(1), ROUND_HALF_UP))
