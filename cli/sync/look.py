"""`scenemesh sync list` and `scenemesh sync show`."""

import asyncio
import json
from functools import partial
from typing import Annotated

import typer
from rich.console import Console

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, All, Json, State, Token, Url, User
from cli.pages import MORE, listed
from cli.sync.shown import details, faults, table
from cli.tables import draw
from cli.text import to_json
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc

Name = Annotated[str, typer.Argument(metavar="SYNC", help="syncs/…, or what comes after the slash.")]


def listing(
    every: All = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """List syncs, newest first."""
    with reported(as_json):
        answer = asyncio.run(_listed(client.somebody(state, url, token, user, Role.OPERATOR), every))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        return
    if answer.syncs:
        draw(table(answer.syncs))
    else:
        typer.echo("There was no sync yet.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


def show(
    name: Name,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show how a sync gets on, or how it ended."""
    with reported(as_json):
        sync = asyncio.run(_read(client.somebody(state, url, token, user, Role.OPERATOR), resource(name)))
    if as_json:
        typer.echo(json.dumps(to_json(sync), ensure_ascii=False))
        return
    Console().print(details(sync))
    if sync.faults_total:
        Console().print(faults(sync))


def resource(name: str) -> str:
    return f"syncs/{name.removeprefix('syncs/')}"


async def _listed(client: Client, every: bool) -> catalog_pb2.ListSyncsResponse:
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        call = partial(stub.ListSyncs, timeout=CALL_SECONDS, metadata=client.metadata)
        return await listed(call, catalog_pb2.ListSyncsRequest(), every)


async def _read(client: Client, name: str) -> catalog_pb2.Sync:
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        request = catalog_pb2.GetSyncRequest(name=name)
        return await stub.GetSync(request, timeout=CALL_SECONDS, metadata=client.metadata)
