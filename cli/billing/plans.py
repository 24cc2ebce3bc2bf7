"""`scenemesh billing plans`."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from google.protobuf.duration_pb2 import Duration
from rich.table import Table

from cli.billing.words import amount, slug
from cli.caller import Caller, called
from cli.tables import draw
from cli.text import cell, word
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub

LEGEND = "+ and - are what you would have more or less than now"
UNITS = {86400: "d", 3600: "h", 60: "m", 1: "s"}


def plans(caller: Caller) -> None:
    """Show the plans and packs on offer, and what you would gain."""
    request = billing_pb2.ListPlansRequest()
    answer = asyncio.run(called(caller.anybody(), lambda channel: BillingServiceStub(channel).ListPlans, request))
    caller.tell(answer, lambda: draw(_plans(answer.plans), _packs(answer.packs)))


def price(one: billing_pb2.Price) -> str:
    """`9.99 USD a month`."""
    return f"{amount(one.amount)} a {word(one, 'interval', 'INTERVAL_')}"


def _plans(rows: Sequence[billing_pb2.Plan]) -> Table:
    gains = any(allowance.gain for one in rows for allowance in one.allowances)
    drawn = Table("Plan", "For you", "Price", "Sold by", "Gives", show_lines=True, caption=LEGEND if gains else None)
    for one in rows:
        drawn.add_row(
            cell(f"{one.display_name}\n({slug(one.name)})"),
            cell("\n".join(_standing(one))),
            cell("\n".join(map(_price, one.prices)) or "free"),
            cell(_sellers([seller for each in one.prices for seller in each.providers], "\n")),
            cell("\n".join(map(_allowance, one.allowances))),
        )
    return drawn


def _packs(rows: Sequence[billing_pb2.Pack]) -> Table:
    drawn = Table("Pack", "Credits", "Price", "Sold by")
    for one in rows:
        names = (cell(f"{one.display_name} ({slug(one.name)})"), f"{one.credits:,}", amount(one.amount))
        drawn.add_row(*names, _sellers(one.providers))
    return drawn


def _standing(plan: billing_pb2.Plan) -> Iterator[str]:
    if plan.standing:
        yield word(plan, "standing", "STANDING_")
    if plan.trial_days:
        yield f"{plan.trial_days} days of trial"


def _price(one: billing_pb2.Price) -> str:
    return f"{price(one)}{f' + {one.credits:,} credits' if one.credits else ''}"


def _sellers(providers: Iterable[billing_pb2.Provider], between: str = ", ") -> str:
    """Each once."""
    names = {number: name.removeprefix("PROVIDER_").lower() for name, number in billing_pb2.Provider.items()}
    return between.join(names.get(one, str(one)) for one in dict.fromkeys(providers))


def _allowance(one: billing_pb2.Allowance) -> str:
    """`chat: 50 a day (+45)`."""
    if one.unlimited:
        return f"{one.meter}: no limit"
    rolling = one.period == billing_pb2.PERIOD_ROLLING
    each = f"in any {_length(one.window)}" if rolling else f"a {word(one, 'period', 'PERIOD_')}"
    return f"{one.meter}: {one.amount:,} {each}{f' ({one.gain:+,})' if one.gain else ''}"


def _length(window: Duration) -> str:
    seconds, letter = next((size, letter) for size, letter in UNITS.items() if window.seconds % size == 0)
    return f"{window.seconds // seconds}{letter}"
