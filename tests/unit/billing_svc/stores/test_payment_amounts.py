"""Amounts as providers say them."""

from decimal import Decimal

import pytest

from services.billing_svc.payments.amounts import minor


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("9.99", "usd", 999),
        ("-9.99", "USD", -999),
        ("25.487", "cad", 2549),
        ("0.005", "eur", 1),
        ("1500", "jpy", 1500),
        ("1500.4", "KRW", 1500),
        ("0E-18", "usd", 0),
    ],
)
def test_an_amount_is_in_the_smallest_unit(amount: str, currency: str, expected: int) -> None:
    assert minor(Decimal(amount), currency) == expected
