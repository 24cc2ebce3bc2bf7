"""Requests that nobody should send get a clear refusal from every RPC, and never a defect."""

import json
import struct
from typing import Any

import aiohttp
import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from runtime.contract import Audience, Contract, Method, descriptor_set_path, message_class
from tests.e2e.clients import Rest, bearer, channel
from tests.e2e.stack import Stack

EXTERNAL = [method for method in Contract.load(descriptor_set_path()) if method.external]

# What a caller may be told for its own mistakes.
REFUSALS = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
# And what a provider may be told that has not signed, or that nobody set up.
UNSIGNED = {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.FAILED_PRECONDITION}

# Far more than anything takes.
CALL_SECONDS = 90
INTEGERS = (-(2**63), -1, 2**63 - 1)
TEXTS = (
    "",
    "\0",
    "a\0b",
    "\u202e",
    "😀" * 3000,
    "x" * 60_000,
    "'; DROP TABLE holds; --",
    "../../etc/passwd",
    "\n\ndata: {}",
)


def _values(field: FieldDescriptor) -> list[Any]:
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return list(TEXTS)
        case FieldDescriptor.TYPE_INT64:
            return list(INTEGERS)
        case FieldDescriptor.TYPE_INT32:
            return [-(2**31), -1, 2**31 - 1]
        case FieldDescriptor.TYPE_ENUM:
            return [0, 99, -1]
        case FieldDescriptor.TYPE_BYTES:
            return [text.encode() for text in TEXTS] + [b"\xff" * 100, b"{}", b"[" * 50_000]
    return []


def _refusals(method: Method) -> set[grpc.StatusCode]:
    return REFUSALS | UNSIGNED if method.policy.audience is Audience.WEBHOOK else REFUSALS


def _nasty(method: Method) -> list[Message]:
    """The empty message, and one with each field in turn set to each nasty value."""
    kind = message_class(method.descriptor.input_type)
    requests: list[Message] = [kind()]
    for field in method.descriptor.input_type.fields:
        for value in _values(field):
            request = kind()
            _put(request, field, value)
            requests.append(request)
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for inner in field.message_type.fields if field.message_type else ():
                for value in _values(inner):
                    request = kind()
                    _put(getattr(request, field.name), inner, value)
                    requests.append(request)
    return requests


def _put(message: Message, field: FieldDescriptor, value: Any) -> None:
    if field.is_repeated:
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


async def _code(stack: Stack, method: Method, body: bytes, user: str) -> grpc.StatusCode:
    """How a call ends; each has a user of its own, so that no rate limit answers in the service's place."""
    async with channel(stack.url) as opened:
        metadata = bearer(stack.token(user=user, role="operator"))
        try:
            if method.response_streaming:
                stream: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = opened.unary_stream(method.path)
                _ = [part async for part in stream(body, metadata=metadata, timeout=CALL_SECONDS)]
            else:
                unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = opened.unary_unary(method.path)
                await unary(body, metadata=metadata, timeout=CALL_SECONDS)
        except grpc.aio.AioRpcError as error:
            assert "Traceback" not in str(error.details())
            return error.code()
        return grpc.StatusCode.OK


@pytest.mark.parametrize("method", EXTERNAL, ids=lambda method: method.name)
async def test_no_field_value_is_a_defect(stack: Stack, method: Method) -> None:
    outcomes = {
        await _code(stack, method, request.SerializeToString(), f"abuse-{number}")
        for number, request in enumerate(_nasty(method))
    }
    assert outcomes <= _refusals(method)


@pytest.mark.parametrize("method", EXTERNAL, ids=lambda method: method.name)
async def test_bytes_that_are_no_message_are_refused_and_the_server_lives(stack: Stack, method: Method) -> None:
    for garbage in (b"\xff" * 40, b"\x0a\x7fshort", b"\x0a\x02\xff\xfe"):
        code = await _code(stack, method, garbage, "abuse-bytes")
        assert code in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}
    assert (await Rest(stack.url).call("GET", "/healthz")).status == 200


BROKEN_JSON = {
    "cut": "{",
    "list": "[]",
    "string": '"text"',
    "wrong type": '{"text": 5}',
    "lone surrogate": '{"text": "\\ud800"}',
    "trailing": '{"text": "x"} trailing',
    "deep": '{"a":' * 5000 + "1" + "}" * 5000,
}


@pytest.mark.parametrize("body", BROKEN_JSON.values(), ids=BROKEN_JSON)
async def test_json_that_is_no_request_is_400(stack: Stack, body: str) -> None:
    rest = Rest(stack.url, stack.token(user="abuse"))
    path = "/v1/conversations/00000000-0000-4000-8000-000000000000/messages:send"
    assert (await rest.call("POST", path, body.encode())).status == 400


async def test_a_body_over_the_limit_is_413(stack: Stack) -> None:
    rest = Rest(stack.url, stack.token(user="abuse"))
    answer = await rest.call("POST", "/v1/conversations", {"display_name": "x" * 140_000})
    assert answer.status == 413


async def test_unknown_ways_lead_nowhere(stack: Stack) -> None:
    rest = Rest(stack.url, stack.token(user="abuse"))
    for path in ("/", "/v1", "/v2/plans", "/v1/plans/x/y", "/v1/users/me", "/V1/plans"):
        answer = await rest.call("GET", path)
        assert (path, answer.status) == (path, 404)
    assert (await rest.call("GET", "/v1/plans?nonsense=1")).status == 400
    assert (await rest.call("DELETE", "/v1/plans")).status in (404, 405)


async def test_a_bad_request_names_the_field(stack: Stack) -> None:
    answer = await Rest(stack.url, stack.token(user="abuse")).call(
        "POST", "/v1/conversations", {"character": "Sherlock"}
    )
    assert answer.status == 400
    told = json.dumps(answer.body)
    assert "conversation.character" in told
    assert "INVALID_ARGUMENT" in told


async def test_a_frame_that_lies_about_its_length_is_refused(stack: Stack) -> None:
    headers = {
        "content-type": "application/grpc-web+proto",
        "x-grpc-web": "1",
        "authorization": f"Bearer {stack.token(user='abuse')}",
    }
    for frame in (struct.pack(">BI", 0, 2**31) + b"x", struct.pack(">BI", 1, 1) + b"x", b"\0"):
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{stack.url}/scenemesh.quota.v1.QuotaService/GetQuota",
                data=frame,
                headers=headers,
                timeout=aiohttp.ClientTimeout(CALL_SECONDS),
            ) as response,
        ):
            assert response.status in (200, 400, 413, 415, 504)
            assert response.headers.get("grpc-status", "13") != "0"
    assert (await Rest(stack.url).call("GET", "/healthz")).status == 200
