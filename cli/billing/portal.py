"""`scenemesh billing portal`."""

from typing import Annotated

import typer

from cli.billing.page import Open, landing, tell
from cli.caller import Caller
from scenemesh.billing.v1 import billing_pb2
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub


def portal(
    caller: Caller,
    opened: Open = False,
    return_url: Annotated[str | None, typer.Option(help="Where the page sends you afterwards.")] = None,
) -> None:
    """Open the page where you change how you pay, and read receipts."""
    request = billing_pb2.CreatePortalSessionRequest(parent="users/me", return_url=landing(caller, return_url))
    page = caller.ask(lambda channel: BillingServiceStub(channel).CreatePortalSession, request)
    tell(caller, page, opened=opened)
