"""`scenemesh index list` and `scenemesh index activate`."""

import asyncio
import json
from functools import partial
from typing import Annotated

import typer

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.index.table import report
from cli.issuer import Role
from cli.options import STATE_DEFAULT, All, Json, State, Token, Url, User
from cli.pages import MORE
from cli.pages import listed as pages
from cli.tables import draw
from cli.text import to_json
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc

# A file is read from its beginning to its end before it is put into service.
ACTIVATE_SECONDS = 35.0


def listed(
    every: All = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show the index versions, newest first, and why one was refused."""
    with reported(as_json):
        answer = asyncio.run(_list(client.somebody(state, url, token, user, Role.OPERATOR), every))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        return
    if answer.index_versions:
        draw(*report(answer.index_versions))
    else:
        typer.echo("There is no index version yet.", err=True)
    if answer.next_page_token:
        typer.echo(MORE, err=True)


def activate(
    number: Annotated[int, typer.Argument(min=1, metavar="NUMBER", help="The version's number.")],
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Put an index version into service: an older one rolls back, a refused one overrules the refusal."""
    with reported(as_json):
        version = asyncio.run(_activate(client.somebody(state, url, token, user, Role.OPERATOR), number))
    if as_json:
        typer.echo(json.dumps(to_json(version), ensure_ascii=False))
    else:
        draw(*report([version]))


async def _list(client: Client, every: bool) -> catalog_pb2.ListIndexVersionsResponse:
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        call = partial(stub.ListIndexVersions, timeout=CALL_SECONDS, metadata=client.metadata)
        return await pages(call, catalog_pb2.ListIndexVersionsRequest(), every)


async def _activate(client: Client, number: int) -> catalog_pb2.IndexVersion:
    request = catalog_pb2.ActivateIndexVersionRequest(name=f"indexVersions/{number}")
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        return await stub.ActivateIndexVersion(request, timeout=ACTIVATE_SECONDS, metadata=client.metadata)
