"""What callers make of a refusal that came through a real Envoy: each in its own protocol."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from scenemesh.quota.v1 import quota_pb2
from tests.harness.serving import Dial, served
from tests.service.edge.conftest import REFUSED
from tests.service.edge.listener import CHAT, RPC, listening

BUF = Path(sys.executable).parent / "buf"
PARENT = "conversations/00000000-0000-0000-0000-000000000000"
REQUEST = chat_pb2.SendMessageRequest(parent=PARENT, text="More?")
EXHAUSTED = {
    "reason": "QUOTA_EXHAUSTED",
    "domain": "scenemesh",
    "metadata": {
        "meter": "chat",
        "limit": "5",
        "used": "5",
        "held": "0",
        "plan": "plans/free",
        "reset_time": "2026-11-22T00:00:00Z",
    },
}
MESSAGE = REFUSED.message


class Chat(chat_pb2_grpc.ChatServiceServicer):
    """Says one thing."""

    async def SendMessage(self, request: Any, context: Any) -> AsyncIterator[chat_pb2.ChatEvent]:
        yield chat_pb2.ChatEvent(number=1, delta=chat_pb2.Delta(text=request.text))


@pytest.fixture(scope="session")
async def url(admission: Dial, certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An Envoy that asks admission."""
    directory = tmp_path_factory.mktemp("envoy")
    register = partial(chat_pb2_grpc.add_ChatServiceServicer_to_server, Chat())  # type: ignore[abstract]
    async with (
        served(certificates, "chat", register, CHAT) as chat,
        listening(directory, certificates, chat=_address(chat), edge=_address(admission)) as url,
    ):
        yield url


@pytest.fixture(scope="session")
async def url_without_admission(certificates: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An Envoy whose admission service is not there; nothing can listen on port 0."""
    directory = tmp_path_factory.mktemp("envoy")
    async with listening(directory, certificates, chat="127.0.0.1:0", edge="127.0.0.1:0") as url:
        yield url


def _address(dial: Dial) -> str:
    return dial.target.replace("localhost", "127.0.0.1")


async def _rest(url: str, user: str) -> tuple[int, str, Any]:
    """The status, the content type, and the body from JSON."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{url}/v1/{PARENT}/messages:send", json={"text": "More?"}, headers={"x-user-id": user}
        ) as response,
    ):
        text = await response.text()
        return response.status, response.content_type, json.loads(text.removeprefix("data: "))


async def _grpc_web(url: str, user: str, content_type: str) -> tuple[int, str, bytes, status_pb2.Status]:
    """The HTTP status, the content type, the body, and the status that the headers carry."""
    message = REQUEST.SerializeToString()
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            url + RPC,
            data=base64.b64encode(frame) if content_type.startswith("application/grpc-web-text") else frame,
            headers={"content-type": content_type, "accept": content_type, "x-grpc-web": "1", "x-user-id": user},
        ) as response,
    ):
        encoded = response.headers["grpc-status-details-bin"]
        status = status_pb2.Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
        told = (int(response.headers["grpc-status"]), unquote(response.headers["grpc-message"]))
        assert told == (status.code, status.message)
        return response.status, response.headers["content-type"], await response.read(), status


async def _buf_curl(url: str, user: str, protocol: str) -> Any:
    """What `buf curl` understood; an error if it failed."""
    process = await asyncio.create_subprocess_exec(
        *(str(BUF), "curl", "--schema", "gen/scenemesh.binpb", "--http2-prior-knowledge", "--protocol", protocol),
        *("--header", f"x-user-id: {user}", "--data", json_format.MessageToJson(REQUEST), url + RPC),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return json.loads(err or out)


def _details(status: status_pb2.Status) -> tuple[Any, list[str], quota_pb2.Decision]:
    """ErrorInfo as JSON, the subjects of QuotaFailure, and the decision."""
    info, failure, decision = error_details_pb2.ErrorInfo(), error_details_pb2.QuotaFailure(), quota_pb2.Decision()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(failure) or detail.Unpack(decision)
    return json_format.MessageToDict(info), [violation.subject for violation in failure.violations], decision


async def test_credit_left_reaches_the_service_over_rest(url: str) -> None:
    assert await _rest(url, "rich") == (200, "text/event-stream", {"number": "1", "delta": {"text": "More?"}})


async def test_over_rest_an_empty_meter_is_402_with_the_status_as_json(url: str) -> None:
    status, content_type, body = await _rest(url, "spent")
    assert (status, content_type, body["code"], body["message"]) == (402, "application/json", 8, MESSAGE)
    details = {detail.pop("@type").rpartition(".")[2]: detail for detail in body["details"]}
    assert details["ErrorInfo"] == EXHAUSTED
    assert details["QuotaFailure"] == {"violations": [{"subject": "users/spent/meters/chat", "description": MESSAGE}]}
    assert json_format.ParseDict(details["Decision"], quota_pb2.Decision()) == REFUSED
    assert details["Decision"]["unlocks"][0]["display_name"] == "Créateur"


async def test_over_grpc_an_empty_meter_is_resource_exhausted_with_details(url: str) -> None:
    async with grpc.aio.insecure_channel(url.removeprefix("http://")) as channel:
        call = chat_pb2_grpc.ChatServiceStub(channel).SendMessage(REQUEST, metadata=(("x-user-id", "spent"),))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, MESSAGE)
    status = rpc_status.from_call(caught.value)
    assert status is not None
    assert _details(status) == (EXHAUSTED, ["users/spent/meters/chat"], REFUSED)


@pytest.mark.parametrize("kind", ["application/grpc-web+proto", "application/grpc-web-text+proto"])
async def test_over_grpc_web_it_is_a_call_that_ended_with_the_same_status(url: str, kind: str) -> None:
    code, content_type, body, status = await _grpc_web(url, "spent", kind)
    assert (code, content_type, body) == (200, kind, b"")
    assert (status.code, status.message) == (8, MESSAGE)
    assert _details(status) == (EXHAUSTED, ["users/spent/meters/chat"], REFUSED)


@pytest.mark.parametrize("protocol", ["grpc", "grpcweb"])
async def test_buf_curl_understands_the_refusal(url: str, protocol: str) -> None:
    error = await _buf_curl(url, "spent", protocol)
    assert (error["code"], error["message"]) == ("resource_exhausted", MESSAGE)
    assert [detail["type"] for detail in error["details"]] == [
        "google.rpc.ErrorInfo",
        "google.rpc.QuotaFailure",
        "scenemesh.quota.v1.Decision",
        "google.rpc.RequestInfo",
    ]


async def test_the_refusal_names_the_request_as_the_edge_knows_it(url: str) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{url}/v1/{PARENT}/messages:send", json={}, headers={"x-user-id": "spent", "x-request-id": "r-1"}
        ) as response,
    ):
        assert (await response.json())["details"][-1]["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(("user", "code", "reason"), [("b a d", 401, "BAD_SUBJECT"), ("x", 503, "QUOTA_UNAVAILABLE")])
async def test_any_other_refusal_keeps_its_status_and_its_body(url: str, user: str, code: int, reason: str) -> None:
    status, content_type, body = await _rest(url, user)
    assert (status, content_type, body["details"][0]["reason"]) == (code, "application/json", reason)


async def test_without_admission_nobody_is_let_through(url_without_admission: str) -> None:
    status, content_type, body = await _rest(url_without_admission, "rich")
    assert (status, content_type, body["code"]) == (503, "application/json", 503)
    error = await _buf_curl(url_without_admission, "rich", "grpc")
    assert error["code"] == "unavailable"
