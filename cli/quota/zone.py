"""`scenemesh quota time-zone`."""

import asyncio
from typing import Annotated

import typer
from google.protobuf.field_mask_pb2 import FieldMask

from cli import client
from cli.client import CALL_SECONDS, Client
from cli.failures import reported
from cli.options import STATE_DEFAULT, Json, State, Token, Url, User
from cli.quota.show import tell
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc


def time_zone(
    zone: Annotated[str, typer.Argument(help="An IANA name such as Europe/Berlin.")],
    user: User = None,
    token: Token = None,
    url: Url = None,
    state: State = STATE_DEFAULT,
    as_json: Json = False,
) -> None:
    """Choose where your days and months begin; no running period ends earlier for it."""
    with reported(as_json):
        answer = asyncio.run(update(client.somebody(state, url, token, user), zone))
    tell(answer, as_json)


async def update(client: Client, zone: str) -> quota_pb2.Quota:
    request = quota_pb2.UpdateQuotaRequest(
        quota=quota_pb2.Quota(name="users/me/quota", time_zone=zone), update_mask=FieldMask(paths=["time_zone"])
    )
    async with client.channel() as channel:
        stub = quota_pb2_grpc.QuotaServiceStub(channel)
        return await stub.UpdateQuota(request, timeout=CALL_SECONDS, metadata=client.metadata)
