"""`scenemesh quota entries`."""

import asyncio
import json
from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, All, Json, Of, State, Token, Url, User, instant
from cli.pages import MORE, listed
from cli.tables import draw, named
from cli.text import cell, clock, to_json, word
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc


class Source(StrEnum):
    PLAN = "plan"
    PURCHASE = "purchase"
    PROMO = "promo"
    REFERRAL = "referral"
    ADMIN = "admin"


SOURCES = {
    Source.PLAN: quota_pb2.SOURCE_PLAN,
    Source.PURCHASE: quota_pb2.SOURCE_PURCHASE,
    Source.PROMO: quota_pb2.SOURCE_PROMO,
    Source.REFERRAL: quota_pb2.SOURCE_REFERRAL,
    Source.ADMIN: quota_pb2.SOURCE_ADMIN,
}


def entries(
    meter: Annotated[str, typer.Option(help="Only those of this meter.")] = "",
    source: Annotated[Source | None, typer.Option(help="Only those of credit from there.")] = None,
    since: Annotated[
        Timestamp | None, typer.Option(parser=instant, metavar="TIME", help="Only those from then on, RFC 3339.")
    ] = None,
    until: Annotated[
        Timestamp | None, typer.Option(parser=instant, metavar="TIME", help="Only those before then, RFC 3339.")
    ] = None,
    every: All = False,
    of: Of = None,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show what moved in your ledger, newest first."""
    request = quota_pb2.ListEntriesRequest(
        parent=f"users/{of or 'me'}",
        meter=meter,
        source=SOURCES[source] if source is not None else quota_pb2.SOURCE_UNSPECIFIED,
        start_time=since,
        end_time=until,
    )
    with reported(as_json):
        edge = client.somebody(state, url, token, user, Role.OPERATOR if of else Role.USER)
        answer = asyncio.run(read(edge, request, every))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        return
    if answer.entries:
        draw(table(answer.entries))
    else:
        typer.echo("Nothing of the kind has moved.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


async def read(client: Client, request: quota_pb2.ListEntriesRequest, every: bool) -> quota_pb2.ListEntriesResponse:
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        call = partial(stub.ListEntries, timeout=CALL_SECONDS, metadata=client.metadata)
        return await listed(call, request, every)


def table(rows: Iterable[quota_pb2.Entry]) -> Table:
    drawn = Table("No.", "When", named("Meter"), "Amount", "Why", "Source", "Balance")
    for one in rows:
        drawn.add_row(
            cell(one.name.rpartition("/")[2]),
            clock(one.create_time),
            cell(one.meter),
            amount(one),
            word(one, "kind", "ENTRY_KIND_"),
            word(one, "source", "SOURCE_"),
            str(one.balance),
        )
    return drawn


def amount(entry: quota_pb2.Entry) -> str:
    """What the entry did to the balance: +5, -1; a use without limit is a plain 1."""
    gain = (entry.credit == quota_pb2.ACCOUNT_AVAILABLE) - (entry.debit == quota_pb2.ACCOUNT_AVAILABLE)
    return f"{gain * entry.amount:+}" if gain else str(entry.amount)
