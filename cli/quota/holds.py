"""`scenemesh quota holds` and `scenemesh quota void`, for operators."""

import asyncio
import json
from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from rich.table import Table

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, All, Json, State, Token, Url, User
from cli.pages import MORE, listed
from cli.tables import draw, named
from cli.text import cell, clock, to_json, word
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc


class HoldState(StrEnum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"
    VOIDED = "voided"


STATES = {
    HoldState.HELD: quota_pb2.HOLD_STATE_HELD,
    HoldState.SETTLED: quota_pb2.HOLD_STATE_SETTLED,
    HoldState.RELEASED: quota_pb2.HOLD_STATE_RELEASED,
    HoldState.EXPIRED: quota_pb2.HOLD_STATE_EXPIRED,
    HoldState.VOIDED: quota_pb2.HOLD_STATE_VOIDED,
}


def holds(
    of: Annotated[str, typer.Argument(metavar="USER", help="Whose holds.")],
    only: Annotated[HoldState | None, typer.Option(help="Only those in this state.")] = None,
    every: All = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show what work in progress keeps back from a user, newest first. For operators."""
    wanted = STATES[only] if only is not None else quota_pb2.HOLD_STATE_UNSPECIFIED
    request = quota_pb2.ListHoldsRequest(parent=f"users/{of.removeprefix('users/')}", state=wanted)
    with reported(as_json):
        answer = asyncio.run(read(client.somebody(state, url, token, user, Role.OPERATOR), request, every))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        return
    if answer.holds:
        draw(table(answer.holds))
    else:
        typer.echo("There is no such hold.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


def void(
    name: Annotated[str, typer.Argument(metavar="HOLD", help="users/…/holds/….")],
    reason: Annotated[str, typer.Option(help="Why, for whoever reads the hold later.")],
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Give a hold back to its user. For operators; the hold keeps who did it and why."""
    request = quota_pb2.VoidHoldRequest(name=name, reason=reason)
    with reported(as_json):
        hold = asyncio.run(give_back(client.somebody(state, url, token, user, Role.OPERATOR), request))
    if as_json:
        typer.echo(json.dumps(to_json(hold), ensure_ascii=False))
    else:
        draw(table([hold]))


async def read(client: Client, request: quota_pb2.ListHoldsRequest, every: bool) -> quota_pb2.ListHoldsResponse:
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        call = partial(stub.ListHolds, timeout=CALL_SECONDS, metadata=client.metadata)
        return await listed(call, request, every)


async def give_back(client: Client, request: quota_pb2.VoidHoldRequest) -> quota_pb2.Hold:
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        return await stub.VoidHold(request, timeout=CALL_SECONDS, metadata=client.metadata)


def table(rows: Iterable[quota_pb2.Hold]) -> Table:
    drawn = Table(named("Hold"), "State", "Keeps back", "Charged", "Taken", "Until", "Voided")
    for one in rows:
        over = one.HasField("resolve_time")
        drawn.add_row(
            cell(one.name),
            word(one, "state", "HOLD_STATE_"),
            cell(", ".join(f"{line.amount} {line.meter}" for line in one.lines)),
            cell(", ".join(f"{line.settled_amount} {line.meter}" for line in one.lines if line.settled_amount)),
            clock(one.create_time),
            clock(one.resolve_time if over else one.expire_time),
            cell(f"{one.voided_by}: {one.void_reason}" if one.voided_by else ""),
        )
    return drawn
