"""`scenemesh billing redeem`, `scenemesh billing promo create` and `promo list`."""

from collections.abc import Iterable
from typing import Annotated
from uuid import uuid4

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table

from cli.billing.subscription import report
from cli.billing.words import gift, moment, plan, slug
from cli.caller import Caller
from cli.failures import ExitCode, Failure
from cli.issuer import Role
from cli.options import All
from cli.pages import MORE
from cli.tables import draw
from cli.text import cell, clock, printable
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub

Code = Annotated[str, typer.Argument(metavar="CODE", help="The code; capitals do not matter.")]


def redeem(caller: Caller, code: Code) -> None:
    """Redeem a code for what it gives."""
    request = billing_pb2.RedeemPromoCodeRequest(parent="users/me", request_id=str(uuid4()), code=code)
    answer = caller.change(lambda channel: BillingServiceStub(channel).RedeemPromoCode, request)

    def show() -> None:
        typer.echo(printable(f"{slug(answer.promo_code)} gave you {gift(answer.gift)}."))
        if answer.gift.HasField("plan_days"):
            draw(*report(answer.subscription))

    caller.tell(answer, show)


def create(
    caller: Caller,
    code: Code,
    given: Annotated[int | None, typer.Option("--credits", min=1, max=1_000_000, help="Credits that it gives.")] = None,
    to: Annotated[str | None, typer.Option("--plan", help="Or the plan that it gives some days of.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=366, help="So many days of that plan.")] = None,
    redemptions_max: Annotated[
        int, typer.Option("--max", min=0, help="So often it can be redeemed; 0 without limit.")
    ] = 0,
    per_user: Annotated[int, typer.Option(min=1, max=100, help="So often one user can redeem it.")] = 1,
    until: Annotated[
        Timestamp | None,
        typer.Option(parser=moment, metavar="TIME", help="When it ends: 2026-12-01, or RFC 3339."),
    ] = None,
) -> None:
    """Make a code."""
    request = billing_pb2.CreatePromoCodeRequest(
        code=code,
        gift=_gift(given, to, days),
        redemptions_max=redemptions_max,
        redemptions_max_per_user=per_user,
        expire_time=until,
    )
    made = caller.ask(lambda channel: BillingServiceStub(channel).CreatePromoCode, request, Role.OPERATOR)
    caller.tell(made, lambda: draw(_table([made])))


def listing(caller: Caller, every: All = False) -> None:
    """List the codes, newest first."""
    request = billing_pb2.ListPromoCodesRequest()
    answer = caller.pages(lambda channel: BillingServiceStub(channel).ListPromoCodes, request, every, Role.OPERATOR)
    caller.tell(answer, lambda: _show(answer))


def _gift(given: int | None, to: str | None, days: int | None) -> billing_pb2.Gift:
    if given is not None and to is None and days is None:
        return billing_pb2.Gift(credits=given)
    if given is None and to is not None and days is not None:
        return billing_pb2.Gift(plan_days=billing_pb2.PlanDays(plan=plan(to), days=days))
    message = "A code gives either --credits, or --days of a --plan."
    raise Failure(message, ExitCode.USAGE, "INVALID_ARGUMENT")


def _show(answer: billing_pb2.ListPromoCodesResponse) -> None:
    if answer.promo_codes:
        draw(_table(answer.promo_codes))
    else:
        typer.echo("There is no code yet.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


def _table(rows: Iterable[billing_pb2.PromoCode]) -> Table:
    drawn = Table("Code", "Gives", "Redeemed", "Per user", "Until", "Made")
    for one in rows:
        limit = f" of {one.redemptions_max:,}" if one.redemptions_max else ""
        drawn.add_row(
            cell(slug(one.name)),
            cell(gift(one.gift)),
            f"{one.redemptions:,}{limit}",
            str(one.redemptions_max_per_user),
            clock(one.expire_time) if one.HasField("expire_time") else "",
            clock(one.create_time),
        )
    return drawn
