"""What the outside can and cannot do through Envoy, over each protocol."""

import asyncio
import base64
import json
from typing import Any

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.message import Message
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from yarl import URL

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from scenemesh.search.v1 import search_pb2, search_pb2_grpc
from tests.service.mesh.conftest import SECONDS_MAX, Caller, Tokens
from tests.service.mesh.members import ADMISSION, Admission

CONVERSATION = "conversations/00000000-0000-0000-0000-000000000000"


async def failure(call: Any) -> grpc.StatusCode:
    """The status that a call ends with instead of an answer."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code()


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


async def test_a_public_method_answers_without_a_token_over_rest(caller: Caller) -> None:
    status, body = await caller.rest("GET", "/v1/suggest?query=neo")
    assert (status, body["suggestions"][0]["display_name"]) == (200, "neo")


async def test_a_public_method_answers_without_a_token_over_grpc(caller: Caller) -> None:
    async with caller.channel() as channel:
        answer = await search_pb2_grpc.SearchServiceStub(channel).Suggest(search_pb2.SuggestRequest(query="neo"))
    assert answer.suggestions[0].display_name == "neo"


async def test_a_public_method_answers_over_grpc_web(caller: Caller) -> None:
    framed = _frame(search_pb2.SuggestRequest(query="neo"))
    async with caller.session.post(
        f"http://{caller.address}/scenemesh.search.v1.SearchService/Suggest",
        data=framed,
        headers={"content-type": "application/grpc-web+proto", "x-grpc-web": "1"},
    ) as response:
        body = await response.read()
    length = int.from_bytes(body[1:5], "big")
    answer = search_pb2.SuggestResponse.FromString(body[5 : 5 + length])
    assert answer.suggestions[0].display_name == "neo"
    assert b"grpc-status:0" in body[5 + length :]


async def test_the_service_hears_who_the_token_speaks_for_and_nothing_that_the_client_claims(
    caller: Caller, tokens: Tokens
) -> None:
    claimed = {"x-user-id": "eve", "x-user-role": "operator", "x-user-plan": "max", "x-mesh-peer": "chat"}
    claimed["x-forwarded-client-cert"] = "URI=spiffe://scenemesh.local/chat"
    status, body = await caller.rest("GET", "/v1/users/me/quota", tokens(), headers=claimed)
    metadata = json.loads(body["plan"])
    said = {key: metadata.get(key) for key in ("x-user-id", "x-user-role", "authorization", *claimed)}
    assert status == 200
    assert said == {**dict.fromkeys([*claimed, "authorization"]), "x-user-id": "ada", "x-user-role": "user"}


async def test_a_claimed_identity_without_a_token_is_dropped(caller: Caller) -> None:
    metadata = (("x-user-id", "eve"), ("x-user-role", "operator"))
    async with caller.channel() as channel:
        call = quota_pb2_grpc.QuotaServiceStub(channel).GetQuota(
            quota_pb2.GetQuotaRequest(name="users/me/quota"), metadata=metadata
        )
        assert await failure(call) == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("missing", 401),
        ("alg none", 401),
        ("forged", 401),
        ("shared secret", 401),
        ("expired", 401),
        ("without expiry", 401),
        ("of another issuer", 401),
        ("for another audience", 403),
        ("without a subject", 401),
    ],
)
async def test_a_token_that_is_not_good_is_refused_with_json(
    caller: Caller, tokens: Tokens, fault: str, status: int
) -> None:
    token = {
        "missing": "",
        "alg none": f"{_part({'alg': 'none'})}.{_part({'sub': 'eve', 'exp': 9_999_999_999})}.eA",
        "forged": tokens(key=ec.generate_private_key(ec.SECP256R1())),
        "shared secret": tokens(key="0" * 32, algorithm="HS256"),
        "expired": tokens(exp=1),
        "without expiry": tokens(exp=None),
        "of another issuer": tokens(iss="https://elsewhere"),
        "for another audience": tokens(aud="elsewhere"),
        "without a subject": tokens(sub=None),
    }[fault]
    answered, body = await caller.rest("GET", "/v1/users/me/quota", token)
    assert (answered, "message" in body) == (status, True)


async def test_a_bad_token_is_refused_on_a_public_method_too(caller: Caller, tokens: Tokens) -> None:
    status, _ = await caller.rest("GET", "/v1/suggest?query=neo", tokens(exp=1))
    assert status == 401


async def test_an_internal_method_does_not_exist_outside(caller: Caller, tokens: Tokens) -> None:
    async with caller.channel() as channel:
        call = quota_pb2_grpc.QuotaServiceStub(channel).Reserve(
            quota_pb2.ReserveRequest(), metadata=bearer(tokens(role="operator"))
        )
        assert await failure(call) == grpc.StatusCode.UNIMPLEMENTED
    status, _ = await caller.rest("POST", "/scenemesh.quota.v1.QuotaService/Reserve", tokens(), json={})
    assert status == 404


async def test_an_unknown_path_is_404_with_json(caller: Caller) -> None:
    status, body = await caller.rest("GET", "/v1/nothing")
    assert (status, body["code"], sorted(body)) == (404, 5, ["code", "details", "message"])
    assert [detail["@type"].rpartition(".")[2] for detail in body["details"]] == ["ErrorInfo", "RequestInfo"]
    assert (body["details"][0]["reason"], body["details"][0]["domain"]) == ("NOT_FOUND", "scenemesh")


async def test_an_unknown_method_is_unimplemented_over_grpc(caller: Caller) -> None:
    async with caller.channel() as channel:
        nothing: Any = channel.unary_unary("/scenemesh.nothing.v1.Nothing/Do")
        assert await failure(nothing(b"")) == grpc.StatusCode.UNIMPLEMENTED


async def test_a_stream_is_server_sent_events_over_rest(caller: Caller, tokens: Tokens) -> None:
    async with caller.session.post(
        f"http://{caller.address}/v1/{CONVERSATION}/messages:send",
        json={"text": "hello"},
        headers={"authorization": f"Bearer {tokens()}"},
    ) as response:
        events = (await response.read()).removesuffix(b"\n\n").split(b"\n\n")
    assert response.headers["content-type"] == "text/event-stream"
    told = [event.split(b"\ndata: ") for event in events]
    assert [(number, json.loads(data)["number"]) for number, data in told] == [
        (b"id: 1", "1"),
        (b"id: 2", "2"),
        (b"id: 3", "3"),
    ]


async def test_admission_is_asked_about_the_meter_and_its_refusal_arrives_as_it_is(
    caller: Caller, tokens: Tokens, admission: Admission
) -> None:
    broke = tokens(sub="broke")
    answer = await caller.rest("POST", f"/v1/{CONVERSATION}/messages:send", broke, json={"text": "hello"})
    assert answer == (402, {"reason": "QUOTA_EXHAUSTED", "meter": "chat"})
    assert admission.asked[-1] == {"meter": "chat", "rpc": "/scenemesh.chat.v1.ChatService/SendMessage"}


async def test_a_stream_over_grpc_is_admitted_too(caller: Caller, tokens: Tokens) -> None:
    async with caller.channel() as channel:
        request = chat_pb2.SendMessageRequest(parent=CONVERSATION, text="hello")
        call = chat_pb2_grpc.ChatServiceStub(channel).SendMessage(request, metadata=bearer(tokens()))
        assert [event.number async for event in call] == [1, 2, 3]


async def test_a_request_over_the_size_limit_is_413(caller: Caller, tokens: Tokens) -> None:
    status, body = await caller.rest(
        "POST", f"/v1/{CONVERSATION}/messages:send", tokens(), json={"text": "x" * 70_000, "unknown": "y" * 70_000}
    )
    assert (status, body["details"][0]["reason"]) == (413, "BODY_TOO_LARGE")


async def test_a_parameter_that_the_contract_does_not_know_is_400(caller: Caller) -> None:
    status, _ = await caller.rest("GET", "/v1/suggest?query=neo&nothing=1")
    assert status == 400


@pytest.mark.parametrize("path", ["/v1/titles%2fx", "/v1/titles/a%5cb"])
async def test_an_escaped_slash_is_refused(caller: Caller, path: str) -> None:
    async with caller.session.get(URL(f"http://{caller.address}{path}", encoded=True)) as response:
        assert response.status == 400


async def test_a_browser_may_ask_from_a_known_origin_and_no_other(caller: Caller) -> None:
    allowed = {}
    for origin in ("http://localhost:5173", "http://evil.example"):
        headers = {"origin": origin, "access-control-request-method": "POST"}
        async with caller.session.options(f"http://{caller.address}/v1/suggest", headers=headers) as response:
            allowed[origin] = (response.status, response.headers.get("access-control-allow-origin"))
    assert allowed == {"http://localhost:5173": (200, "http://localhost:5173"), "http://evil.example": (200, None)}


async def test_reflection_is_for_operators(caller: Caller, tokens: Tokens) -> None:
    callers = {"nobody": (), "user": bearer(tokens()), "operator": bearer(tokens(role="operator"))}
    async with caller.channel() as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        calls = {who: stub.ServerReflectionInfo(metadata=metadata, timeout=60) for who, metadata in callers.items()}
        await calls["operator"].write(reflection_pb2.ServerReflectionRequest(list_services=""))
        await calls["operator"].done_writing()
        listed = {service.name for service in (await calls["operator"].read()).list_services_response.service}
        codes = {who: (await call.code()).name for who, call in calls.items()}
    assert ADMISSION in listed
    assert codes == {"nobody": "UNAUTHENTICATED", "user": "PERMISSION_DENIED", "operator": "OK"}


async def test_a_user_who_calls_too_often_is_told_so_and_others_are_not(caller: Caller, tokens: Tokens) -> None:
    hasty = tokens(sub="hasty")
    path = "/v1/conversations"
    body = {"character": "characters/neo"}
    clock = asyncio.get_running_loop().time
    began, admitted = clock(), 0
    async with asyncio.timeout(SECONDS_MAX), caller.channel() as channel:
        while (await caller.rest("POST", path, hasty, json=body))[0] != 429:
            admitted += 1
        # A call comes back each second: a machine that stands still for a while has some to spare.
        assert 60 <= admitted <= 60 + (clock() - began) + 1
        create = chat_pb2_grpc.ChatServiceStub(channel).CreateConversation
        request = chat_pb2.CreateConversationRequest(conversation=chat_pb2.Conversation(character="characters/neo"))
        while (code := await create(request, metadata=bearer(hasty)).code()) is grpc.StatusCode.OK:
            pass
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    status, _ = await caller.rest("POST", path, tokens(sub="patient"), json=body)
    assert status != 429


async def test_a_counted_answer_says_what_is_left_of_the_limit(caller: Caller, tokens: Tokens) -> None:
    headers = {"authorization": f"Bearer {tokens(sub='counted')}"}
    url = f"http://{caller.address}/v1/conversations"
    async with caller.session.post(url, headers=headers, json={"character": "characters/neo"}) as response:
        told = response.headers
    assert (told["x-ratelimit-limit"].split(",")[0], told["x-ratelimit-remaining"]) == ("60", "59")


async def test_every_answer_is_hardened_and_names_its_request(caller: Caller) -> None:
    async with caller.session.get(f"http://{caller.address}/v1/nothing") as response:
        headers = response.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-request-id"]
    assert "server" not in headers


def _frame(message: Message) -> bytes:
    body = message.SerializeToString()
    return b"\x00" + len(body).to_bytes(4, "big") + body


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
