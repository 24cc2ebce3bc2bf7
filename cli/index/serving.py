"""`scenemesh index status`."""

import asyncio
import json

import typer
from google.protobuf.duration_pb2 import Duration
from rich.table import Table

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.tables import draw
from cli.text import cell, clock, to_json
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc


def status(
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show what the replica that answers is serving, how fast, and how often from its cache."""
    with reported(as_json):
        answer = asyncio.run(_status(client.somebody(state, url, token, user, Role.OPERATOR)))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
        return
    draw(_table(answer))
    if answer.degraded:
        typer.echo(answer.degraded, err=True)


async def _status(client: Client) -> catalog_pb2.ServingStatus:
    async with client.channel() as channel:
        stub = catalog_pb2_grpc.CatalogServiceStub(channel)
        request = catalog_pb2.GetServingStatusRequest()
        return await stub.GetServingStatus(request, timeout=CALL_SECONDS, metadata=client.metadata)


def _table(status: catalog_pb2.ServingStatus) -> Table:
    drawn = Table("Version", "Loaded", "Queries", "From cache", "Cached", "p50", "p99")
    share = f"{status.cache_hits / status.queries:.0%}" if status.queries else "-"
    drawn.add_row(
        cell(status.index_version.rpartition("/")[2]),
        clock(status.load_time),
        str(status.queries),
        share,
        str(status.cache_entries),
        _milliseconds(status.p50),
        _milliseconds(status.p99),
    )
    return drawn


def _milliseconds(duration: Duration) -> str:
    return f"{duration.ToTimedelta().total_seconds() * 1000:.2f} ms"
