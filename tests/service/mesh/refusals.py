"""What a caller is told who is refused by the edge itself, over each protocol."""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from tests.service.mesh.conftest import Caller


@dataclass(frozen=True)
class Refusal:
    """A status with what its details say; `wait` is RetryInfo's delay in seconds."""

    code: str
    reason: str
    message: str
    wait: int | None = None


@dataclass(frozen=True)
class Call:
    """One call in its REST form, `GET /v1/suggest`, and in its gRPC form, with the same request."""

    rest: str
    rpc: str
    request: Message
    body: Any = None


async def everywhere(caller: Caller, call: Call, token: str = "") -> list[Refusal]:
    """What is told over REST, gRPC and grpc-web, to calls that are made together."""
    return list(await asyncio.gather(*(over(caller, call, token) for over in (over_rest, over_grpc, over_grpc_web))))


async def over_rest(caller: Caller, call: Call, token: str = "") -> Refusal:
    verb, path = call.rest.split()
    _, body = await caller.rest(verb, path, token, json=call.body)
    return told(json_format.ParseDict(body, status_pb2.Status()))


async def over_grpc(caller: Caller, call: Call, token: str = "") -> Refusal:
    async with caller.channel() as channel:
        unary: Any = channel.unary_unary(call.rpc)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await unary(call.request.SerializeToString(), metadata=tuple(_authorization(token).items()))
    # It refuses details that say anything else than the status itself.
    status = rpc_status.from_call(caught.value)
    assert status is not None
    return told(status)


async def over_grpc_web(caller: Caller, call: Call, token: str = "") -> Refusal:
    message = call.request.SerializeToString()
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", **_authorization(token)}
    framed = b"\x00" + len(message).to_bytes(4, "big") + message
    async with caller.session.post(f"http://{caller.address}{call.rpc}", data=framed, headers=headers) as response:
        answer, answered, body = response.headers, response.status, await response.read()
    assert (answered, answer["content-type"], body) == (200, "application/grpc-web+proto", b"")
    status = status_pb2.Status.FromString(base64.b64decode(answer["grpc-status-details-bin"] + "=="))
    assert (int(answer["grpc-status"]), answer["grpc-message"]) == (status.code, status.message)
    return told(status)


def told(status: status_pb2.Status) -> Refusal:
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(retry)
    wait = retry.retry_delay.seconds if retry.HasField("retry_delay") else None
    return Refusal(code_pb2.Code.Name(status.code), info.reason, status.message, wait)


def _authorization(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}
