"""`scenemesh billing subscription`, `cancel`, `pause` and `resume`."""

from collections.abc import Iterator, Sequence
from typing import Annotated
from uuid import uuid4

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table
from rich.text import Text

from cli.billing.words import moment, slug
from cli.caller import Caller
from cli.issuer import Role
from cli.options import Of
from cli.tables import draw
from cli.text import cell, clock, word
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub

MINE = "users/me/subscription"
TWICE = "You pay for more than one of these: only the first one counts."


def subscription(caller: Caller, of: Of = None) -> None:
    """Show which plan you are on, until when, and what comes then."""
    request = billing_pb2.GetSubscriptionRequest(name=f"users/{of or 'me'}/subscription")
    role = Role.OPERATOR if of else Role.USER
    _tell(caller, caller.ask(lambda channel: BillingServiceStub(channel).GetSubscription, request, role))


def cancel(
    caller: Caller,
    now: Annotated[bool, typer.Option("--now", help="End it at once, without money back.")] = False,
) -> None:
    """Renew your subscription no more: it ends with the paid period."""
    request = billing_pb2.CancelSubscriptionRequest(name=MINE, request_id=str(uuid4()), immediately=now)
    _tell(caller, caller.change(lambda channel: BillingServiceStub(channel).CancelSubscription, request))


def pause(
    caller: Caller,
    until: Annotated[
        Timestamp | None,
        typer.Option(parser=moment, metavar="TIME", help="Resume by itself then: 2026-12-01, or RFC 3339."),
    ] = None,
) -> None:
    """Pay nothing from the end of the paid period on, and have nothing, until you resume."""
    request = billing_pb2.PauseSubscriptionRequest(name=MINE, request_id=str(uuid4()), resume_time=until)
    _tell(caller, caller.change(lambda channel: BillingServiceStub(channel).PauseSubscription, request))


def resume(caller: Caller) -> None:
    """Go on with a subscription that is paused, or cancelled and not yet over."""
    request = billing_pb2.ResumeSubscriptionRequest(name=MINE, request_id=str(uuid4()))
    _tell(caller, caller.change(lambda channel: BillingServiceStub(channel).ResumeSubscription, request))


def report(told: billing_pb2.Subscription) -> Sequence[Table | Text]:
    """The subscription, and below it every agreement where there are several."""
    if len(told.agreements) < 2:
        return (_summary(told),)
    return _summary(told), _agreements(told), Text(TWICE)


def _tell(caller: Caller, told: billing_pb2.Subscription) -> None:
    caller.tell(told, lambda: draw(*report(told)))


def _summary(told: billing_pb2.Subscription) -> Table:
    drawn = Table(show_header=False, title=cell(told.name.split("/")[1]))
    for name, value in _rows(told):
        drawn.add_row(name, cell(value))
    return drawn


def _rows(told: billing_pb2.Subscription) -> Iterator[tuple[str, str]]:
    yield "Plan", _article(told, slug(told.plan))
    yield "State", word(told, "state", "SUBSCRIPTION_STATE_")
    if told.provider:
        yield "Sold by", word(told, "provider", "PROVIDER_")
    if told.HasField("period_end_time"):
        yield _boundary(told), clock(told.period_end_time)
    if told.next_plan:
        by = f", by the {word(told, 'next_interval', 'INTERVAL_')}" if told.next_interval else ""
        yield "From then on", f"{slug(told.next_plan)}{by}"
    if told.HasField("grace_end_time"):
        yield "Unpaid, in force until", clock(told.grace_end_time)
    if told.HasField("resume_time"):
        yield "Resumes", clock(told.resume_time)


def _boundary(told: billing_pb2.Subscription) -> str:
    """What happens when the period ends."""
    match told.state:
        case billing_pb2.SUBSCRIPTION_STATE_CANCELLED | billing_pb2.SUBSCRIPTION_STATE_PAUSED:
            return "In force until"
        case billing_pb2.SUBSCRIPTION_STATE_TRIALING:
            return "Free until"
        case billing_pb2.SUBSCRIPTION_STATE_PAST_DUE:
            return "Paid until"
        case _:
            return "Renews"


def _agreements(told: billing_pb2.Subscription) -> Table:
    drawn = Table("Agreement", "Plan", "State", "Until", "In force")
    for one in told.agreements:
        drawn.add_row(
            cell(f"{word(one, 'provider', 'PROVIDER_')} {one.id}"),
            cell(_article(one, slug(one.plan))),
            word(one, "state", "SUBSCRIPTION_STATE_"),
            clock(one.period_end_time),
            "yes" if one.in_force else "no",
        )
    return drawn


def _article(one: billing_pb2.Subscription | billing_pb2.Agreement, plan: str) -> str:
    return f"{plan}, by the {word(one, 'interval', 'INTERVAL_')}" if one.interval else plan
