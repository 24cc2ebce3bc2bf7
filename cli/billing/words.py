"""What is sold and paid, in words."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money

from scenemesh.billing.v1 import billing_pb2


class Interval(StrEnum):
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


INTERVALS = {
    Interval.WEEK: billing_pb2.INTERVAL_WEEK,
    Interval.MONTH: billing_pb2.INTERVAL_MONTH,
    Interval.YEAR: billing_pb2.INTERVAL_YEAR,
}


def amount(money: Money) -> str:
    """`9.99 USD`; empty for what has no currency."""
    if not money.currency_code:
        return ""
    return f"{Decimal(money.units) + Decimal(money.nanos).scaleb(-9):,.2f} {money.currency_code}"


def gift(what: billing_pb2.Gift) -> str:
    """`100 credits`, or `30 days of pro`."""
    if what.HasField("plan_days"):
        return f"{what.plan_days.days} days of {slug(what.plan_days.plan)}"
    return f"{what.credits:,} credits"


def slug(name: str) -> str:
    """What comes after the last slash of a resource name."""
    return name.rpartition("/")[2]


def plan(name: str) -> str:
    """A plan's resource name, from that or from what comes after its slash."""
    return f"plans/{name.removeprefix('plans/')}"


def pack(name: str) -> str:
    """A pack's resource name, from that or from what comes after its slash."""
    return f"packs/{name.removeprefix('packs/')}"


def moment(text: str) -> Timestamp:
    """2026-12-01, which begins at local midnight, or a moment in RFC 3339."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither a day such as 2026-12-01 nor a time in RFC 3339.") from error
    told = Timestamp()
    told.FromDatetime(read.astimezone())
    return told
