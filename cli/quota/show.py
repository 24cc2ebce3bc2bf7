"""`scenemesh quota`."""

import asyncio
import json
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import ExitCode, Failure, reported
from cli.issuer import Role
from cli.options import STATE_DEFAULT, Json, Of, State, Token, Url, User, instant
from cli.quota.table import report
from cli.quota.watch import watch
from cli.tables import draw
from cli.text import to_json
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc


def show(
    context: typer.Context,
    watched: Annotated[bool, typer.Option("--watch", help="Go on showing it as it changes; Ctrl-C ends.")] = False,
    at: Annotated[
        Timestamp | None, typer.Option(parser=instant, metavar="TIME", help="As it was then, RFC 3339.")
    ] = None,
    of: Of = None,
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show what you have left on every meter."""
    if context.invoked_subcommand is not None:
        _check_bare(context)
        return
    with reported(as_json):
        if watched and at is not None:
            raise Failure("--watch is about now: --at has no meaning.", ExitCode.USAGE, "INVALID_ARGUMENT")
        edge = client.somebody(state, url, token, user, Role.OPERATOR if of else Role.USER)
        name = f"users/{of or 'me'}/quota"
        if watched:
            raise typer.Exit(watch(edge, name, as_json))
        answer = asyncio.run(read(edge, quota_pb2.GetQuotaRequest(name=name, read_time=at)))
    tell(answer, as_json)


def tell(answer: quota_pb2.Quota, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
    else:
        draw(*report(answer))


async def read(client: Client, request: quota_pb2.GetQuotaRequest) -> quota_pb2.Quota:
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        return await stub.GetQuota(request, timeout=CALL_SECONDS, metadata=client.metadata)


def _check_bare(context: typer.Context) -> None:
    """Options before a subcommand would be lost on it."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"Options go after {context.invoked_subcommand!r}.")
