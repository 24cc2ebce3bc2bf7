"""`scenemesh sync cancel` and `scenemesh sync resume`."""

import asyncio
import json

import typer

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.sync.look import Name, resource
from cli.sync.shown import ended, word_of
from cli.sync.watch import Detach, Watch, of_request
from cli.text import to_json
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc


def cancel(
    name: Name,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Ask a sync to end. What it has brought stays; `scenemesh sync resume` goes on."""
    with reported(as_json):
        sync = asyncio.run(_cancelled(client.somebody(state, url, token, user, Role.OPERATOR), resource(name)))
    if as_json:
        typer.echo(json.dumps(to_json(sync), ensure_ascii=False))
    elif ended(sync):
        typer.echo(f"{sync.name} is over: {word_of(sync)}.")
    else:
        typer.echo(f"{sync.name} ends within seconds.")


def resume(
    name: Name,
    detach: Detach = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Go on with a sync that failed or was cancelled, from where it was."""
    request = catalog_pb2.ResumeSyncRequest(name=resource(name))
    with reported(as_json):
        edge = client.somebody(state, url, token, user, Role.OPERATOR)
        code = Watch(edge, as_json).follow(of_request("ResumeSync", request), detach)
    raise typer.Exit(code)


async def _cancelled(client: Client, name: str) -> catalog_pb2.Sync:
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        request = catalog_pb2.CancelSyncRequest(name=name)
        return await stub.CancelSync(request, timeout=CALL_SECONDS, metadata=client.metadata)
