"""`scenemesh quota`."""

import asyncio
import json
from datetime import UTC

import typer
from rich.console import Console
from rich.table import Table

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.text import cell, to_json
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc

MINE = "users/me/quota"


def quota(
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Show what you have left on every meter."""
    with reported(as_json):
        answer = asyncio.run(read(client.somebody(state, url, token, user)))
    if as_json:
        typer.echo(json.dumps(to_json(answer), ensure_ascii=False))
    else:
        Console().print(table(answer))


async def read(client: Client) -> quota_pb2.Quota:
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        return await stub.GetQuota(quota_pb2.GetQuotaRequest(name=MINE), timeout=CALL_SECONDS, metadata=client.metadata)


def table(answer: quota_pb2.Quota) -> Table:
    owner = answer.name.removeprefix("users/").removesuffix("/quota")
    title = cell(f"{owner}: {answer.plan.removeprefix('plans/')}")
    drawn = Table("Meter", "Left", "Used", "Held", "Limit", "Granted", "Starts anew", title=title)
    for meter in answer.meters:
        limit = "none" if meter.unlimited else str(meter.limit)
        figures = (left(meter), str(meter.used), str(meter.held), limit, str(meter.granted), resets(meter))
        drawn.add_row(cell(meter.meter), *figures)
    return drawn


def left(meter: quota_pb2.MeterQuota) -> str:
    return "unlimited" if meter.unlimited else str(meter.remaining)


def resets(meter: quota_pb2.MeterQuota) -> str:
    """When the allowance starts anew, in local time."""
    if not meter.HasField("reset_time"):
        return "never"
    return meter.reset_time.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M")
