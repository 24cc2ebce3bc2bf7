"""An empty meter is refused at the edge, over every protocol, before any model is called."""

import base64

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from scenemesh.quota.v1 import quota_pb2
from tests.e2e.clients import Json, Rest, bearer, buf_curl, channel, kind
from tests.e2e.stack import Stack

SEND = "scenemesh.chat.v1.ChatService/SendMessage"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
DECISION = "type.googleapis.com/scenemesh.quota.v1.Decision"


@pytest.fixture
async def spent(stack: Stack) -> tuple[str, str]:
    """The token and the conversation of someone whose five turns of today are used."""
    token = stack.token(user="admission-alice", role="operator")
    rest = Rest(stack.url, token)
    conversation = await rest.conversation()
    for _ in range(5):
        if (await _remaining(rest)) == 0:
            break
        assert kind((await rest.turn(conversation))[-1]) == "finished"
    assert await _remaining(rest) == 0
    return token, conversation


async def _remaining(rest: Rest) -> int:
    return int((await rest.settled())["remaining"])


async def test_over_rest_it_is_402_with_a_body_that_explains(stack: Stack, spent: tuple[str, str]) -> None:
    token, conversation = spent
    asked = await stack.provider.requests()
    refused = await Rest(stack.url, token).call("POST", f"/v1/{conversation}/messages:send", {"text": "More?"})
    assert (refused.status, refused.headers["content-type"]) == (402, "application/json")
    details = {detail["@type"]: detail for detail in _details(refused.body)}
    info = details[ERROR_INFO]
    assert (info["reason"], info["domain"]) == ("QUOTA_EXHAUSTED", "scenemesh")
    assert {key: info["metadata"][key] for key in ("meter", "limit", "used", "plan")} == {
        "meter": "chat",
        "limit": "5",
        "used": "5",
        "plan": "plans/free",
    }
    assert "reset_time" in info["metadata"]
    assert details[QUOTA_FAILURE]["violations"][0]["subject"] == "users/admission-alice/meters/chat"
    decision = details[DECISION]
    assert (decision["outcome"], decision["reason"], decision["meter"]) == (
        "OUTCOME_REFUSED",
        "REASON_LIMIT_REACHED",
        "chat",
    )
    assert decision["message"] == refused.body["message"]
    assert [unlock["plan"] for unlock in decision["unlocks"]] == ["plans/creator", "plans/pro", "plans/max"]
    assert await stack.provider.requests() == asked


def _details(body: Json) -> list[Json]:
    details: list[Json] = body["error"]["details"] if "error" in body else body["details"]
    return details


async def test_over_grpc_it_is_resource_exhausted_with_details(stack: Stack, spent: tuple[str, str]) -> None:
    token, conversation = spent
    async with channel(stack.url) as grpc_channel:
        stub = chat_pb2_grpc.ChatServiceStub(grpc_channel)
        call = stub.SendMessage(chat_pb2.SendMessageRequest(parent=conversation, text="More?"), metadata=bearer(token))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [event async for event in call]
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status = rpc_status.from_call(caught.value)
    assert status is not None
    _assert_quota_failure(status)


@pytest.mark.parametrize("protocol", ["grpc", "grpcweb"])
async def test_over_buf_curl_it_is_the_same(stack: Stack, spent: tuple[str, str], protocol: str) -> None:
    token, conversation = spent
    refused = await buf_curl(stack.url, protocol, SEND, {"parent": conversation, "text": "More?"}, token)
    assert refused.messages == []
    assert refused.error is not None
    assert refused.error["code"] == "resource_exhausted"
    status = status_pb2.Status()
    for detail in refused.error["details"]:
        padded = detail["value"] + "=" * (-len(detail["value"]) % 4)
        status.details.add(type_url=f"type.googleapis.com/{detail['type']}", value=base64.b64decode(padded))
    _assert_quota_failure(status)


def _assert_quota_failure(status: status_pb2.Status) -> None:
    info, failure, decision = error_details_pb2.ErrorInfo(), error_details_pb2.QuotaFailure(), quota_pb2.Decision()
    for wanted in (info, failure, decision):
        assert any(detail.Unpack(wanted) for detail in status.details)
    assert (info.reason, info.metadata["meter"], info.metadata["limit"]) == ("QUOTA_EXHAUSTED", "chat", "5")
    assert failure.violations[0].subject == "users/admission-alice/meters/chat"
    assert (decision.outcome, decision.unlocks[0].plan) == (quota_pb2.OUTCOME_REFUSED, "plans/creator")
