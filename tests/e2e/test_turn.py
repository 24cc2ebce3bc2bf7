"""One turn, over every protocol: the events are the same."""

from uuid import uuid4

from google.protobuf import json_format

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Json, Rest, bearer, buf_curl, channel, kind, said
from tests.e2e.stack import Stack

CHAT = "scenemesh.chat.v1.ChatService"


def _shape(events: list[Json]) -> list[tuple[int, str, str]]:
    """Number, kind and text of each event: what must not depend on the protocol or the turn."""
    return [(int(event["number"]), kind(event), event.get("delta", {}).get("text", "")) for event in events]


def _request(conversation: str) -> Json:
    """A message that is said once, however often it is sent."""
    return {"parent": conversation, "text": "Who are you?", "request_id": str(uuid4())}


async def test_a_character_found_by_search_answers_and_the_turn_is_paid_for(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="turn-alice"))
    found = await alice.call("GET", "/v1/suggest?query=sherlock%20hol")
    character = next(hit for hit in found.body["suggestions"] if hit["kind"] == "KIND_CHARACTER")
    assert character["name"] == "characters/sherlock-holmes"

    before = await alice.settled()
    conversation = await alice.conversation(character["name"])
    events = await alice.turn(conversation)
    assert [event["number"] for event in events] == [str(number) for number in range(1, len(events) + 1)]
    assert [kind(event) for event in events] == ["started", *["delta"] * (len(events) - 2), "finished"]
    finished = events[-1]["finished"]
    assert finished["message"]["text"] == said(events) != ""
    assert (finished["receipt"]["meter"], finished["receipt"]["charged"]) == ("chat", "1")

    after = await alice.settled()
    assert [meter["remaining"] for meter in (before, after)] == ["5", "4"]
    entries = (await alice.call("GET", "/v1/users/me/entries")).body["entries"]
    assert [(entry["kind"], entry["meter"], entry["amount"], entry["balance"]) for entry in entries] == [
        ("ENTRY_KIND_CHARGE", "chat", "1", "4"),
        ("ENTRY_KIND_ALLOWANCE", "chat", "5", "5"),
    ]
    assert entries[0]["usage"]["resource"] == finished["message"]["name"]
    assert int(entries[0]["usage"]["output_tokens"]) == int(finished["receipt"]["usage"]["output_tokens"]) > 0

    messages = (await alice.call("GET", f"/v1/{conversation}/messages")).body["messages"]
    assert [(message["role"], message["text"]) for message in messages] == [
        ("ROLE_USER", "Who are you?"),
        ("ROLE_CHARACTER", said(events)),
    ]


async def test_every_protocol_gives_the_same_events(stack: Stack) -> None:
    token = stack.token(user="turn-bob", role="operator")
    rest = Rest(stack.url, token)
    conversation = await rest.conversation()
    over_sse = await rest.turn(conversation)

    async with channel(stack.url) as grpc_channel:
        stub = chat_pb2_grpc.ChatServiceStub(grpc_channel)
        over_grpc = [
            json_format.MessageToDict(event, preserving_proto_field_name=True)
            async for event in stub.SendMessage(
                json_format.ParseDict(_request(conversation), chat_pb2.SendMessageRequest()), metadata=bearer(token)
            )
        ]
    curl_grpc = await buf_curl(stack.url, "grpc", f"{CHAT}/SendMessage", _request(conversation), token)
    curl_web = await buf_curl(stack.url, "grpcweb", f"{CHAT}/SendMessage", _request(conversation), token)
    assert (curl_grpc.error, curl_web.error) == (None, None)
    assert _shape(over_sse) == _shape(over_grpc) == _shape(curl_grpc.messages) == _shape(curl_web.messages)


async def test_a_watcher_goes_on_where_it_was_cut_off(stack: Stack) -> None:
    carol = Rest(stack.url, stack.token(user="turn-carol"))
    conversation = await carol.conversation()
    seen: list[Json] = []
    async for event in carol.events("POST", f"/v1/{conversation}/messages:send", {"text": "Who are you?"}):
        seen.append(event)
        if len(seen) == 3:
            break
    watch = f"/v1/{seen[0]['message']}:watch?after=3"
    rest = await carol.log("GET", watch)
    assert [int(event["number"]) for event in seen + rest] == list(range(1, len(seen + rest) + 1))
    assert rest[-1]["finished"]["message"]["text"] == said(seen + rest)
    again = [event async for event in carol.events("GET", f"/v1/{seen[0]['message']}:watch")]
    assert _shape(again) == _shape(seen + rest)


async def test_a_failure_after_the_first_word_is_the_last_event_over_every_protocol_and_costs_nothing(
    stack: Stack,
) -> None:
    token = stack.token(user="turn-frank", role="operator")
    rest = Rest(stack.url, token)
    conversation = await rest.conversation()
    endings = []
    for protocol in ("sse", "grpc", "grpcweb"):
        await stack.provider.script({"answer": ["I ", "am ", "cut ", "off"], "cut_after": 3})
        if protocol == "sse":
            events = await rest.turn(conversation)
        else:
            answered = await buf_curl(stack.url, protocol, f"{CHAT}/SendMessage", _request(conversation), token)
            assert answered.error is None
            events = answered.messages
        failed = events[-1]["failed"]
        endings.append((kind(events[-1]), failed["reason"], failed["message"]["text"], said(events)))
    assert endings == [("failed", "FAILURE_REASON_MODEL_CUT", "I am cut ", "I am cut ")] * 3
    assert (await rest.settled())["used"] == "0"


async def test_a_repeated_request_answers_again_and_costs_once(stack: Stack) -> None:
    dave = Rest(stack.url, stack.token(user="turn-dave"))
    conversation = await dave.conversation()
    body = {"text": "Who are you?", "request_id": "6f1d2c3e-0000-4000-8000-000000000001"}
    turns = [
        [event async for event in dave.events("POST", f"/v1/{conversation}/messages:send", body)] for _ in range(2)
    ]
    assert _shape(turns[0]) == _shape(turns[1])
    assert turns[0][-1] == turns[1][-1]
    assert (await dave.settled())["used"] == "1"


async def test_plans_are_there_for_anyone(stack: Stack) -> None:
    plans = (await Rest(stack.url).call("GET", "/v1/plans")).body["plans"]
    assert [plan["name"] for plan in plans] == ["plans/free", "plans/creator", "plans/pro", "plans/max"]
    subscription = await Rest(stack.url, stack.token(user="turn-erin")).call("GET", "/v1/users/me/subscription")
    assert subscription.body["plan"] == "plans/free"
