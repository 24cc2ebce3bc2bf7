"""`scenemesh index build`."""

import asyncio
import json
from typing import Annotated

import typer

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import ExitCode, Failure, reported
from cli.index.table import report
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.tables import draw
from cli.text import to_json
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc

POLL_SECONDS = 0.5
BAD_ENDS = frozenset({catalog_pb2.IndexVersion.STATE_FAILED, catalog_pb2.IndexVersion.STATE_REFUSED})


def build(
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the end; exit with 1 if it is a bad one.")] = False,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Build a new index version from the catalogue as it is; it serves as soon as it passes."""
    with reported(as_json):
        version = asyncio.run(_build(client.somebody(state, url, token, user, Role.OPERATOR), wait))
    if as_json:
        typer.echo(json.dumps(to_json(version), ensure_ascii=False))
    else:
        draw(*report([version]))
    if version.state in BAD_ENDS:
        raise typer.Exit(ExitCode.FAILED)


async def _build(client: Client, wait: bool) -> catalog_pb2.IndexVersion:
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        request = catalog_pb2.CreateIndexVersionRequest()
        version = await stub.CreateIndexVersion(request, timeout=CALL_SECONDS, metadata=client.metadata)
        while wait and version.state == catalog_pb2.IndexVersion.STATE_BUILDING:
            await asyncio.sleep(POLL_SECONDS)
            listing = catalog_pb2.ListIndexVersionsRequest()
            page = await stub.ListIndexVersions(listing, timeout=CALL_SECONDS, metadata=client.metadata)
            version = _same(version, page)
        return version


def _same(version: catalog_pb2.IndexVersion, page: catalog_pb2.ListIndexVersionsResponse) -> catalog_pb2.IndexVersion:
    for one in page.index_versions:
        if one.name == version.name:
            return one
    raise Failure(f"{version.name} is not among the newest versions any more.", hint="`scenemesh index list --all`")
