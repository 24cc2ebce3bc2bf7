"""What providers send, through Envoy: as it was sent, from nobody, and up to a limit of its own."""

import io
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody

from mesh.resources.limits import REQUEST_BYTES_MAX, WEBHOOK_BYTES_MAX
from scenemesh.billing.v1 import webhook_pb2, webhook_pb2_grpc
from tests.service.mesh.conftest import Caller, Tokens
from tests.service.mesh.members import Webhooks

PATH = "/v1/webhooks/stripe"
JSON = "application/json"

BODIES = {
    "odd spaces": (b'\r\n { "id" :\t"evt_1",\n\n"b":1.50 , "a":\xc2\xa0null}  \n', JSON),
    "keys twice": (b'{"a":1,"a":2,"unknown":{"@type":"x"}}', JSON),
    "escapes": (b'{"a":"\\u00e9\\/\\ud83d\\ude00"}', "application/json; charset=utf-8"),
    "no JSON": (b"{nor [ does it \x00 need to be", JSON),
    "not UTF-8": (b'{"a":"\xff\xfe\xc3("}', JSON),
    "empty": (b"", JSON),
    "a form": (b"sign=a%2Bb&amount=10.00&uuid=1+2", "application/x-www-form-urlencoded"),
    "binary": (bytes(range(256)) * 8, "application/octet-stream"),
    "larger than the edge holds elsewhere": (b"x" * (REQUEST_BYTES_MAX + 1), JSON),
}


async def deliver(caller: Caller, data: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    return await caller.rest("POST", PATH, headers={"content-type": JSON, **(headers or {})}, data=data)


@pytest.mark.parametrize(("body", "content_type"), BODIES.values(), ids=BODIES)
async def test_a_body_arrives_byte_for_byte(caller: Caller, webhooks: Webhooks, body: bytes, content_type: str) -> None:
    assert await deliver(caller, body, {"content-type": content_type}) == (200, {})
    heard = webhooks.deliveries[-1]
    assert (heard.data, heard.content_type) == (body, content_type)


async def test_a_body_without_a_type_arrives_too(caller: Caller, webhooks: Webhooks) -> None:
    url = f"http://{caller.address}{PATH}"
    async with caller.session.post(url, data=b"{}", skip_auto_headers=["content-type"]) as response:
        assert (response.status, await response.json()) == (200, {})
    assert (webhooks.deliveries[-1].data, webhooks.deliveries[-1].content_type) == (b"{}", "")


@pytest.mark.parametrize(
    "authorization", ["a shared value", "Bearer agreed-value", "Bearer eyJhbGciOiJub25lIn0.e30.", ""]
)
async def test_a_providers_proof_arrives_and_is_no_token(
    caller: Caller, webhooks: Webhooks, authorization: str
) -> None:
    proofs = {
        "stripe-signature": "t=1,v1=00ff,v1=11ee,v0=22",
        "authorization": authorization,
        "x-signature": "00ff",
        "sign": "ee11",
        "paddle-signature": "ts=1;h1=eb",
    }
    assert await deliver(caller, b"{}", proofs) == (200, {})
    assert {name: webhooks.deliveries[-1].metadata.get(name) for name in proofs} == proofs


@pytest.mark.parametrize("good", [True, False])
async def test_a_webhook_never_speaks_for_a_person(
    caller: Caller, webhooks: Webhooks, tokens: Tokens, good: bool
) -> None:
    claimed = {"x-user-id": "eve", "x-user-role": "operator", "x-user-email": "eve@example.com", "x-mesh-peer": "quota"}
    token = tokens(role="operator") if good else ""
    assert await deliver(caller, b"{}", {**claimed, "authorization": f"Bearer {token}"}) == (200, {})
    assert [name for name in webhooks.deliveries[-1].metadata if name.startswith(("x-user-", "x-mesh-"))] == []


@pytest.mark.parametrize(
    ("body", "status", "code", "reason"),
    [
        (b"unsigned", 401, 16, "BAD_SIGNATURE"),
        (b"nonsense", 400, 3, "BAD_BODY"),
        (b"later", 503, 14, "DATABASE_UNAVAILABLE"),
    ],
)
async def test_a_refusal_is_a_status_with_json(
    caller: Caller, body: bytes, status: int, code: int, reason: str
) -> None:
    answered, told = await deliver(caller, body)
    assert (answered, told["code"], told["details"][0]["reason"]) == (status, code, reason)


async def chunks(size: int, whole: int) -> AsyncIterator[bytes]:
    for start in range(0, whole, size):
        yield b"x" * min(size, whole - start)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [900_000, WEBHOOK_BYTES_MAX])
async def test_a_large_body_arrives_whole(caller: Caller, webhooks: Webhooks, size: int, chunked: bool) -> None:
    assert await deliver(caller, chunks(10_000, size) if chunked else io.BytesIO(b"x" * size)) == (200, {})
    assert webhooks.deliveries[-1].data == b"x" * size


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [WEBHOOK_BYTES_MAX + 1, 1_100_000, 3_000_000])
async def test_a_body_over_the_limit_is_413_and_nobody_hears_of_it(
    caller: Caller, webhooks: Webhooks, size: int, chunked: bool
) -> None:
    before = list(webhooks.deliveries)
    status, told = await deliver(caller, chunks(10_000, size) if chunked else io.BytesIO(b"x" * size))
    assert (status, told["details"][0]["reason"]) == (413, "BODY_TOO_LARGE")
    assert webhooks.deliveries == before


@pytest.mark.parametrize("body", [b"{}", b""])
async def test_a_query_cannot_stand_in_for_a_body(caller: Caller, webhooks: Webhooks, body: bytes) -> None:
    status, _ = await caller.rest("POST", f"{PATH}?body.data=aGk&body.content_type=text%2Fplain", data=body)
    assert (status, webhooks.deliveries[-1].data) == (200, body)
    assert (await caller.rest("POST", f"{PATH}?unknown=1", data=body))[0] == 400


async def test_a_webhook_is_a_call_like_any_other_over_grpc(caller: Caller, webhooks: Webhooks) -> None:
    async with caller.channel() as channel:
        await webhook_pb2_grpc.WebhookServiceStub(channel).ReceiveStripe(
            webhook_pb2.ReceiveStripeRequest(body=HttpBody(data=b"\xff", content_type=JSON)),
            metadata=(("stripe-signature", "t=1"), ("x-user-id", "eve")),
        )
    heard = webhooks.deliveries[-1]
    assert (heard.data, heard.content_type, heard.metadata["stripe-signature"]) == (b"\xff", JSON, "t=1")
    assert "x-user-id" not in heard.metadata


async def test_a_message_over_the_limit_is_refused_over_grpc(caller: Caller) -> None:
    request = webhook_pb2.ReceiveStripeRequest(body=HttpBody(data=b"x" * 1_100_000))
    async with caller.channel() as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await webhook_pb2_grpc.WebhookServiceStub(channel).ReceiveStripe(request)
    assert caught.value.details() == (
        "The request is larger than the 1024 KiB that this call may have. Send less at once."
    )


@pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
async def test_a_webhook_is_only_posted_to(caller: Caller, verb: str) -> None:
    status, _ = await caller.rest(verb, PATH)
    assert status == 404
