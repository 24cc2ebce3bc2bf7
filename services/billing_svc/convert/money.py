"""Amounts as the contract says them."""

from google.type.money_pb2 import Money

NANOS_PER_CENT = 10_000_000
# Currencies without a smaller unit: providers count them in whole ones.
WHOLE = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)


def money(minor: int, currency: str) -> Money:
    """An amount in the currency's smallest unit; below zero, both parts are."""
    code = currency.upper()
    if code in WHOLE:
        return Money(currency_code=code, units=minor)
    sign = -1 if minor < 0 else 1
    units, cents = divmod(abs(minor), 100)
    return Money(currency_code=code, units=sign * units, nanos=sign * cents * NANOS_PER_CENT)
