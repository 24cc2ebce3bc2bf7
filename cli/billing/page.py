"""Pages of a provider's, on the web."""

import webbrowser
from typing import Annotated

import typer

from cli.caller import Caller
from cli.text import printable
from scenemesh.billing.v1 import billing_pb2

# What anybody may look at, without a token.
LANDING = "/v1/plans"
TEST_MODE = "TEST MODE: no money moves."

Open = Annotated[bool, typer.Option("--open", help="Open it in your browser.")]


def landing(caller: Caller, url: str | None) -> str:
    """Where a page sends the buyer afterwards: a place of their own, or the list of plans at the edge."""
    return url or caller.client().url.rstrip("/") + LANDING


def tell(caller: Caller, page: billing_pb2.CheckoutSession | billing_pb2.PortalSession, *, opened: bool) -> None:
    """For people, the URL alone on stdout, so that a script can take it; in their browser if they want."""
    if page.test_mode and not caller.as_json:
        typer.echo(TEST_MODE, err=True)
    caller.tell(page, lambda: typer.echo(printable(page.url)))
    if opened and not (page.url.startswith(("https://", "http://")) and webbrowser.open(page.url)):
        typer.echo("There is no browser to open it in.", err=True)
