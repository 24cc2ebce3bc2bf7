"""`scenemesh billing invoices` and `scenemesh billing buy`."""

from collections.abc import Iterable
from typing import Annotated
from uuid import uuid4

import typer
from rich.table import Table

from cli.billing.words import amount, pack, slug
from cli.caller import Caller
from cli.issuer import Role
from cli.options import All, Of
from cli.pages import MORE
from cli.tables import draw, named
from cli.text import cell, clock, word
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub


def invoices(caller: Caller, of: Of = None, every: All = False) -> None:
    """Show what you were charged, newest first, what it gave and what was taken back."""
    request = billing_pb2.ListInvoicesRequest(parent=f"users/{of or 'me'}")
    role = Role.OPERATOR if of else Role.USER
    answer = caller.pages(lambda channel: BillingServiceStub(channel).ListInvoices, request, every, role)
    caller.tell(answer, lambda: _show(answer))


def buy(caller: Caller, name: Annotated[str, typer.Argument(metavar="PACK", help="The pack.")]) -> None:
    """Buy a pack of credits with the payment method that you have at Stripe, at once."""
    request = billing_pb2.BuyCreditsRequest(parent="users/me", request_id=str(uuid4()), pack=pack(name))
    invoice = caller.change(lambda channel: BillingServiceStub(channel).BuyCredits, request)
    caller.tell(invoice, lambda: draw(table([invoice])))


def table(rows: Iterable[billing_pb2.Invoice]) -> Table:
    drawn = Table("When", named("Invoice"), "What", "Amount", "Refunded", "Credits", "State")
    for one in rows:
        drawn.add_row(
            clock(one.create_time),
            cell(slug(one.name)),
            cell("\n".join(slug(line.article) for line in one.lines)),
            amount(one.amount),
            amount(one.refunded) if one.refunded.units or one.refunded.nanos else "",
            _credits(one),
            word(one, "state", "INVOICE_STATE_"),
        )
    return drawn


def _show(answer: billing_pb2.ListInvoicesResponse) -> None:
    if answer.invoices:
        draw(table(answer.invoices))
    else:
        typer.echo("Nothing was charged.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


def _credits(invoice: billing_pb2.Invoice) -> str:
    """`+100`, and `+100 -40` where some were taken back."""
    given = sum(line.credits for line in invoice.lines)
    reclaimed = sum(line.credits_reclaimed for line in invoice.lines)
    return " ".join(f"{number:+,}" for number in (given, -reclaimed) if number)
