"""`scenemesh billing change`."""

from typing import Annotated
from uuid import uuid4

import typer

from cli.billing.subscription import MINE, report
from cli.billing.words import INTERVALS, Interval, amount, plan, slug
from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.tables import draw
from cli.text import clock, printable, word
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub


def change(
    caller: Caller,
    to: Annotated[str, typer.Argument(metavar="PLAN", help="The plan to move to.")],
    interval: Annotated[Interval | None, typer.Option(help="What is paid for in advance; as now, unless said.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Say what would happen, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Move to another plan: up at once, down when the paid period ends. Says what it costs and asks first."""
    if caller.as_json and not (preview or yes):
        raise Failure("--json asks nothing: say --yes to change, or --preview.", ExitCode.USAGE, "INVALID_ARGUMENT")
    request = billing_pb2.ChangeSubscriptionRequest(name=MINE, plan=plan(to))
    request.interval = INTERVALS[interval] if interval is not None else _interval(caller)
    if preview or not yes:
        asked = billing_pb2.ChangeSubscriptionRequest(validate_only=True)
        asked.MergeFrom(request)
        would = caller.ask(lambda channel: BillingServiceStub(channel).ChangeSubscription, asked)
        caller.tell(would, lambda: typer.echo(_sentence(request, would)))
        if preview:
            return
        typer.confirm("Change it?", abort=True)
    request.request_id = str(uuid4())
    done = caller.change(lambda channel: BillingServiceStub(channel).ChangeSubscription, request)
    caller.tell(done, lambda: draw(*report(done.subscription)))


def _interval(caller: Caller) -> billing_pb2.Interval:
    """The one that the caller pays for now."""
    request = billing_pb2.GetSubscriptionRequest(name=MINE)
    now = caller.ask(lambda channel: BillingServiceStub(channel).GetSubscription, request)
    return now.interval or billing_pb2.INTERVAL_MONTH


def _sentence(request: billing_pb2.ChangeSubscriptionRequest, would: billing_pb2.SubscriptionChange) -> str:
    there = f"{slug(request.plan)} by the {word(request, 'interval', 'INTERVAL_')}"
    if not (would.amount_due.units or would.amount_due.nanos):
        return printable(f"{there} from {clock(would.effective_time)} on; nothing is due now.")
    counted = would.credited.units or would.credited.nanos
    rest = f"; {amount(would.credited)} for the unused rest is counted in already" if counted else ""
    return printable(f"{there} at once; {amount(would.amount_due)} is due now{rest}.")
