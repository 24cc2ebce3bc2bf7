"""What Envoy answers by itself reaches people as a sentence of ours, in the one shape of all errors."""

import asyncio
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import grpc
import pytest
from yarl import URL

from mesh.resources import limits, replies, routes
from mesh.topology import Address
from scenemesh.billing.v1 import billing_pb2
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from scenemesh.search.v1 import catalog_pb2, search_pb2, search_pb2_grpc
from tests.service.mesh import members
from tests.service.mesh.conftest import SECONDS_MAX, Caller, Control, Start, Tokens
from tests.service.mesh.refusals import Call, Refusal, everywhere, over_grpc, over_grpc_web, over_rest

CONVERSATION = "conversations/00000000-0000-0000-0000-000000000000"
SEARCH = "scenemesh.search.v1.SearchService"
SUGGEST = Call("GET /v1/suggest?query=neo", f"/{SEARCH}/Suggest", search_pb2.SuggestRequest(query="neo"))
QUOTA = Call("GET /v1/users/me/quota", "/scenemesh.quota.v1.QuotaService/GetQuota", quota_pb2.GetQuotaRequest())
SYNCS = Call("GET /v1/syncs", "/scenemesh.search.v1.CatalogService/ListSyncs", catalog_pb2.ListSyncsRequest())
NOT_REACHED = Refusal("UNAVAILABLE", "UNAVAILABLE", replies.NOT_REACHED, 1)


class Slow(members.Search):
    """Begins and never answers."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.begun = asyncio.Semaphore(0)

    async def Suggest(self, request: search_pb2.SuggestRequest, context: members.Context) -> search_pb2.SuggestResponse:
        self.begun.release()
        await asyncio.Event().wait()
        return search_pb2.SuggestResponse()

    def register(self, server: grpc.aio.Server) -> None:
        search_pb2_grpc.add_SearchServiceServicer_to_server(self, server)


class Cable:
    """Between Envoy and a member; it can be cut."""

    def __init__(self, member: Address) -> None:
        self._member = member
        self._ends: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> "Cable":
        self._server = await asyncio.start_server(self._joined, "127.0.0.1", 0)
        self.address = Address("127.0.0.1", self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()

    def cut(self) -> None:
        """Ends every connection, in the midst of whatever is said."""
        for end in self._ends:
            end.transport.abort()

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._member.host, self._member.port)
        self._ends += [writer, back]
        await asyncio.gather(_carried(reader, back), _carried(there, writer))


async def _carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.mark.parametrize(
    ("call", "claims", "refusal"),
    [
        (
            QUOTA,
            None,
            Refusal(
                "UNAUTHENTICATED",
                "UNAUTHENTICATED",
                "This call needs a token. Sign in, and send yours as `authorization: Bearer TOKEN`.",
            ),
        ),
        (
            QUOTA,
            {"exp": 1},
            Refusal(
                "UNAUTHENTICATED",
                "UNAUTHENTICATED",
                "The token has expired. Sign in again, and call with the new one.",
            ),
        ),
        (
            QUOTA,
            {"iss": "https://elsewhere"},
            Refusal(
                "UNAUTHENTICATED",
                "UNAUTHENTICATED",
                "The token is not one that is taken here. Sign in again, and call with the new one.",
            ),
        ),
        (
            QUOTA,
            {"aud": "elsewhere"},
            Refusal(
                "PERMISSION_DENIED",
                "PERMISSION_DENIED",
                "The token is meant for another service. Sign in for this one, and call with the new one.",
            ),
        ),
        (
            SYNCS,
            {},
            Refusal(
                "PERMISSION_DENIED",
                "PERMISSION_DENIED",
                "This call is for operators alone. Call with the token of one.",
            ),
        ),
    ],
    ids=["no token", "expired", "of another issuer", "for another audience", "of no operator"],
)
async def test_who_may_not_call_is_told_what_to_do(
    caller: Caller, tokens: Tokens, call: Call, claims: Mapping[str, Any] | None, refusal: Refusal
) -> None:
    token = "" if claims is None else tokens(**claims)
    assert await everywhere(caller, call, token) == [refusal] * 3


async def test_what_there_is_not_is_told_with_where_to_look(caller: Caller) -> None:
    message = (
        "Nothing here answers to this method and path. gen/openapi.yaml lists what does over REST, protos/ over gRPC."
    )
    nothing = Call("DELETE /v1/suggest", "/scenemesh.nothing.v1.Nothing/Do", search_pb2.SuggestRequest())
    assert await everywhere(caller, nothing) == [
        Refusal("NOT_FOUND", "NOT_FOUND", message),
        # gRPC's own word for it.
        *[Refusal("UNIMPLEMENTED", "NOT_FOUND", message)] * 2,
    ]


async def test_a_request_that_is_too_large_is_told_what_it_may_have(caller: Caller, tokens: Tokens) -> None:
    conversation = chat_pb2.Conversation(display_name="x" * limits.REQUEST_BYTES_MAX)
    create = Call(
        "POST /v1/conversations",
        "/scenemesh.chat.v1.ChatService/CreateConversation",
        chat_pb2.CreateConversationRequest(conversation=conversation),
        {"display_name": conversation.display_name},
    )
    assert await everywhere(caller, create, tokens()) == [_too_large(128)] * 3


@pytest.mark.parametrize(
    ("call", "bytes_max", "kib"),
    [
        ("POST /v1/webhooks/stripe", limits.WEBHOOK_BYTES_MAX, 1024),
        ("POST /v1/media", limits.UPLOAD_BYTES_MAX, 4224),
        (f"PATCH /v1/{CONVERSATION}/messages/00000000-0000-0000-0000-000000000000", limits.LONG_BYTES_MAX, 878),
    ],
)
async def test_what_may_be_larger_is_told_its_own_limit(
    caller: Caller, tokens: Tokens, call: str, bytes_max: int, kib: int
) -> None:
    verb, path = call.split()
    _, body = await caller.rest(verb, path, tokens(), data=io.BytesIO(b"x" * (bytes_max + 1)))
    assert body["message"] == _too_large(kib).message


def _too_large(kib: int) -> Refusal:
    message = f"The request is larger than the {kib} KiB that this call may have. Send less at once."
    return Refusal("INVALID_ARGUMENT", "BODY_TOO_LARGE", message)


async def test_who_calls_too_often_is_told_how_long_to_wait(caller: Caller, tokens: Tokens) -> None:
    redeem = Call(
        "POST /v1/users/me/promoCodes:redeem",
        "/scenemesh.billing.v1.BillingService/RedeemPromoCode",
        billing_pb2.RedeemPromoCodeRequest(parent="users/me"),
        {},
    )
    refusal = Refusal("RESOURCE_EXHAUSTED", "RATE_LIMITED", "Too many calls of this kind. Wait 6 s and call again.", 6)
    # Each six seconds one more is let in, which answers otherwise.
    async with asyncio.timeout(SECONDS_MAX):
        for over in (over_rest, over_grpc, over_grpc_web):
            while await over(caller, redeem, tokens(sub="often")) != refusal:
                pass


async def test_a_refusal_for_too_many_calls_says_no_less_than_envoys_own_header(caller: Caller, tokens: Tokens) -> None:
    headers = {"authorization": f"Bearer {tokens(sub='again')}"}
    url = f"http://{caller.address}/v1/users/me/promoCodes:redeem"
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            async with caller.session.post(url, json={}, headers=headers) as response:
                if response.status == 429:
                    break
    assert 1 <= int(response.headers["x-ratelimit-reset"]) <= 6


async def test_a_service_that_nobody_is_there_for_is_told_as_one_to_wait_for(topology: Control, caller: Caller) -> None:
    topology.publish({"search": frozenset()})
    await _until_refused(caller, SUGGEST)
    assert await everywhere(caller, SUGGEST) == [NOT_REACHED] * 3


async def test_a_call_that_is_broken_off_is_told_how_nothing_is_done_twice(
    topology: Control, caller: Caller, start: Start
) -> None:
    slow = Slow()  # type: ignore[abstract] # it is asked for nothing else
    async with Cable(await start("search", slow.register, SEARCH)) as cable:
        topology.publish({"search": frozenset([cable.address])})
        async with asyncio.timeout(SECONDS_MAX):
            await _until_reached(slow, caller)
            calls = asyncio.ensure_future(everywhere(caller, SUGGEST))
            for _ in range(3):
                await slow.begun.acquire()
        cable.cut()
        assert await calls == [Refusal("UNAVAILABLE", "UNAVAILABLE", replies.BROKEN_OFF)] * 3
    # Now nobody listens there.
    assert await everywhere(caller, SUGGEST) == [NOT_REACHED] * 3


async def test_an_answer_that_does_not_come_in_time_is_told_how_nothing_is_done_twice(
    topology: Control, caller: Caller, start: Start
) -> None:
    slow = Slow()  # type: ignore[abstract] # it is asked for nothing else
    member = await start("search", slow.register, SEARCH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routes, "GRACE", timedelta(0))
        topology.publish({"search": frozenset([member])})
    async with asyncio.timeout(SECONDS_MAX):
        await _until_reached(slow, caller)
    assert await everywhere(caller, SUGGEST) == [Refusal("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", replies.LATE)] * 3


async def test_a_call_whose_credit_nobody_can_check_is_told_as_one_to_wait_for(
    topology: Control, caller: Caller, tokens: Tokens
) -> None:
    send = Call(
        f"POST /v1/{CONVERSATION}/messages:send",
        "/scenemesh.chat.v1.ChatService/SendMessage",
        chat_pb2.SendMessageRequest(parent=CONVERSATION, text="hello"),
        {"text": "hello"},
    )
    message = "Credit cannot be checked just now, and nothing was done. Wait a moment and call again."
    topology.publish({"edge": frozenset()})
    await _until_refused(caller, send, tokens())
    assert await everywhere(caller, send, tokens()) == [Refusal("UNAVAILABLE", "UNAVAILABLE", message, 1)] * 3


async def test_over_rest_a_refusal_says_what_envoy_says_and_which_request_it_was(caller: Caller) -> None:
    async with caller.session.get(f"http://{caller.address}/v1/users/me/quota") as response:
        body = await response.json()
    types = "type.googleapis.com/google.rpc"
    assert (response.status, body["code"], body["details"]) == (
        401,
        16,
        [
            {
                "@type": f"{types}.ErrorInfo",
                "domain": "scenemesh",
                "reason": "UNAUTHENTICATED",
                "metadata": {"edge": "jwt_authn_access_denied{Jwt_is_missing}"},
            },
            {"@type": f"{types}.RequestInfo", "request_id": response.headers["x-request-id"]},
        ],
    )


@pytest.mark.parametrize(
    ("verb", "path", "options", "status", "reason", "message"),
    [
        (
            "GET",
            "/v1/suggest?query=neo&nothing=1",
            {},
            400,
            "INVALID_ARGUMENT",
            (
                "The request is not as gen/openapi.yaml has it. Mend it and call again: "
                'Could not find field "nothing" in the type "scenemesh.search.v1.SuggestRequest".'
            ),
        ),
        (
            "GET",
            "/v1/titles%2fx",
            {},
            400,
            "INVALID_ARGUMENT",
            "This path cannot be read. Write it without an escaped slash or backslash.",
        ),
        (
            "GET",
            "/v1/suggest?query=neo",
            {"headers": {"an_underscore": "x"}},
            400,
            "INVALID_ARGUMENT",
            (
                "The name of a header has an underscore, which is not let in here. "
                "Write it with a hyphen, or leave it out."
            ),
        ),
        (
            "GET",
            "/v1/suggest?query=neo",
            {"headers": {"long": "x" * 40_000}},
            431,
            "HEADERS_TOO_LARGE",
            "The headers are too large. Send at most 60, of 32 KiB together.",
        ),
    ],
)
async def test_what_is_no_request_is_told_how_it_becomes_one(
    caller: Caller, verb: str, path: str, options: dict[str, Any], status: int, reason: str, message: str
) -> None:
    url = URL(f"http://{caller.address}{path}", encoded=True)
    async with caller.session.request(verb, url, **options) as response:
        body = await response.json()
    assert (response.status, body["details"][0]["reason"], body["message"]) == (status, reason, message)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /v1/suggest?query=neo HTTP/1.0\r\n\r\n", b"426"),
        (b"GET /v1/suggest?query=neo HTTP/1.1\r\n\r\n", b"400"),
        (b"POST /v1/suggest HTTP/1.1\r\nhost: x\r\ntransfer-encoding: y\r\n\r\n", b"501"),
    ],
)
async def test_what_is_not_http_is_told_so(caller: Caller, sent: bytes, status: bytes) -> None:
    host, _, port = caller.address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    async with asyncio.timeout(SECONDS_MAX):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert (head.split()[1], json.loads(body)["message"]) == (status, replies.NOT_HTTP)


async def _until_refused(caller: Caller, call: Call, token: str = "") -> None:
    """Waits until Envoy knows that somebody is away."""
    verb, path = call.rest.split()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with asyncio.timeout(SECONDS_MAX):
        while True:
            url = f"http://{caller.address}{path}"
            async with caller.session.request(verb, url, json=call.body, headers=headers) as response:
                if response.status == 503:
                    return
            await asyncio.sleep(0.05)


async def _until_reached(slow: Slow, caller: Caller) -> None:
    """Waits until Envoy sends calls to the member that never answers, and to no other."""
    begun = asyncio.ensure_future(slow.begun.acquire())
    while not begun.done():
        call = asyncio.ensure_future(over_rest(caller, SUGGEST))
        await asyncio.wait((begun, call), return_when=asyncio.FIRST_COMPLETED)
        call.cancel()
        await asyncio.wait((call,))
        await asyncio.sleep(0.05)
