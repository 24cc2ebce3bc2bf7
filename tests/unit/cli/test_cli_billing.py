from datetime import datetime

import pytest
import typer
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from cli.billing.words import amount, gift, moment
from scenemesh.billing.v1 import billing_pb2


@pytest.mark.parametrize(
    ("money", "shown"),
    [
        (Money(), ""),
        (Money(currency_code="USD"), "0.00 USD"),
        (Money(currency_code="USD", units=1234, nanos=990_000_000), "1,234.99 USD"),
        (Money(currency_code="EUR", units=-2, nanos=-50_000_000), "-2.05 EUR"),
        (Money(currency_code="EUR", nanos=-990_000_000), "-0.99 EUR"),
    ],
)
def test_an_amount_has_two_decimals_and_its_currency(money: Money, shown: str) -> None:
    assert amount(money) == shown


def test_a_gift_is_credits_or_days() -> None:
    days = billing_pb2.Gift(plan_days=billing_pb2.PlanDays(plan="plans/pro", days=30))
    assert (gift(billing_pb2.Gift(credits=1000)), gift(days)) == ("1,000 credits", "30 days of pro")


def test_a_day_begins_at_local_midnight_and_a_time_is_its_own() -> None:
    midnight = int(datetime(2026, 12, 1).astimezone().timestamp())
    assert moment("2026-12-01") == Timestamp(seconds=midnight)
    assert moment("2026-12-01T02:00:00+02:00") == Timestamp(seconds=1_796_083_200)
    with pytest.raises(typer.BadParameter):
        moment("tomorrow")
