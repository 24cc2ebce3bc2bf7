"""Streams through the whole stack: odd text, readers that leave, are slow, or are many."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any
from uuid import uuid4

import grpc
import psutil
import pytest

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.appstore import AUTHORIZATION, Purchase, body
from tests.e2e.buyer import Buyer, until
from tests.e2e.clients import BUSY_CODES, JSON_TYPE, Json, Rest, bearer, channel, kind, requested
from tests.e2e.stack import Stack

PATIENCE_SECONDS = 120
STREAMS = int(os.environ.get("SCENEMESH_TEST_STREAMS", "100"))
STREAM_SECONDS = int(os.environ.get("SCENEMESH_TEST_STREAM_SECONDS", "5"))
# A connection carries no more than 100 streams.
STREAMS_PER_CHANNEL = 50
# Of the many, so many begin at once.
BEGINNING = 10
# Of an answer with slow readers, each of whom leaves many copies of it unread on one stream: far more than what may be
# on its way to all of them.
PIECES = ["😀" * 4_000] * 15
READERS, COPIES, OPENING = 20, 8, 99
UNREAD_BYTES = READERS * COPIES * len("".join(PIECES).encode())
# They take next to nothing before somebody reads it, as a telephone far away.
TAKES_LITTLE = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 16 * 1024))
# What each of the many may leave behind, at most: what Python has not collected yet, and the holes between what lives.
LEFT_BYTES_MAX = 160 * 2**10
# Connections that are kept for the next one: to the database, to models, between the services.
DESCRIPTORS_MAX = 48
# Of a call whose answer takes longer.
DEADLINE_SECONDS = 3

ODD = (
    '\n\ndata: {"finished": {}}\n\n',
    "event: end\r\nid: 7\r\n\r\n",
    "\u202egnal\u202c\u200f",
    "\a\x1b[31m\x7f\x85\u2028",
    "😀" * 8_000,
    '{"a": "\\u0000"}',
)
ODD_PROMPT = "\n\ndata: {}\n\n\u202e\x1b[31m" + "😀" * 4_000


async def _eventually(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await true():
            await asyncio.sleep(0.1)


def _endless(until: asyncio.Event) -> Json:
    """Goes on and on before it may end."""
    return {"answer": ["word "], "delay_ms": 100, "until": until}


def _said(events: list[Json]) -> str:
    return "".join(event["delta"]["text"] for event in events if "delta" in event)


def _stub(opened: grpc.aio.Channel) -> "chat_pb2_grpc.ChatServiceAsyncStub":
    return chat_pb2_grpc.ChatServiceStub(opened)


def _request(conversation: str) -> chat_pb2.SendMessageRequest:
    """A message that is said once, however often it is sent."""
    return chat_pb2.SendMessageRequest(parent=conversation, text="Who are you?", request_id=str(uuid4()))


async def test_odd_text_is_one_event_and_comes_and_stays_as_it_was_said(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="streams-odd"))
    conversation = await alice.conversation()
    await stack.provider.script({"answer": ODD})
    events = await alice.turn(conversation, ODD_PROMPT)
    assert [event["delta"]["text"] for event in events[1:-1]] == list(ODD)
    question, answer = (await alice.read(f"/v1/{conversation}/messages"))["messages"]
    assert (question["text"], answer["text"]) == (ODD_PROMPT, "".join(ODD))
    assert [event async for event in alice.events("GET", f"/v1/{events[0]['message']}:watch")] == events


async def test_what_belongs_to_another_can_be_neither_stopped_nor_estimated(stack: Stack) -> None:
    alice, mallory = (Rest(stack.url, stack.token(user=user)) for user in ("streams-alice", "streams-mallory"))
    conversation = await alice.conversation()
    message = (await alice.turn(conversation))[0]["message"]
    for path in (f"/v1/{message}:stop", f"/v1/{conversation}:estimateTurn"):
        nobodys = path.replace(conversation, "conversations/00000000-0000-4000-8000-000000000000")
        refused, missing = [await mallory.call("POST", one, {}) for one in (path, nobodys)]
        assert (refused.status, refused.body["message"]) == (missing.status, missing.body["message"])
        assert refused.status == 404


@pytest.mark.parametrize("protocol", ["grpc", "grpc-web", "sse"])
async def test_whoever_leaves_ends_the_call_and_not_the_answer(stack: Stack, protocol: str) -> None:
    user = f"streams-leaving-{protocol}"
    alice = Rest(stack.url, stack.token(user=user))
    conversation = await alice.conversation()
    await stack.provider.script(_endless(over := asyncio.Event()))
    await {"grpc": _leave_grpc, "grpc-web": _leave_web, "sse": _leave_sse}[protocol](alice, conversation)

    await _eventually(lambda: _ended_so(stack, user, ["CANCELLED"]))
    _, answer = (await alice.read(f"/v1/{conversation}/messages"))["messages"]
    assert answer["state"] == "MESSAGE_STATE_STREAMING", "the call ended before the answer"
    over.set()
    events = await alice.log("GET", f"/v1/{answer['name']}:watch")
    assert events[-1]["finished"]["message"]["text"] == _said(events) != ""


async def _leave_sse(rest: Rest, conversation: str) -> None:
    async with aclosing(_generator(rest, conversation)) as events:
        _ = [await anext(events) for _ in range(3)]


async def _generator(rest: Rest, conversation: str) -> AsyncGenerator[Json, None]:
    async for event in rest.events("POST", f"/v1/{conversation}/messages:send", {"text": "Who are you?"}):
        yield event


async def _leave_grpc(rest: Rest, conversation: str) -> None:
    async with channel(rest.url) as opened:
        request = _request(conversation)
        call = _stub(opened).SendMessage(request, metadata=bearer(rest.token or ""))
        _ = [await call.read() for _ in range(3)]
        call.cancel()


async def _leave_web(rest: Rest, conversation: str) -> None:
    request = _request(conversation).SerializeToString()
    headers = {**rest.headers(), "content-type": "application/grpc-web+proto"}
    url, body = f"{rest.url}/scenemesh.chat.v1.ChatService/SendMessage", b"\0" + len(request).to_bytes(4) + request
    async with requested("POST", url, body, headers) as response:
        assert response.status == 200
        await response.content.readany()


def _ended_calls(stack: Stack, user: str) -> list[str]:
    """How the calls of SendMessage by a user ended, as the log has them.

    Those are left out that were refused for a busy machine, or because an earlier one was still at work.
    """
    told = [one for one in stack.logged("chat-") if one["event"] == "rpc" and one.get("user") == user]
    ended = [str(one["code"]) for one in told if one.get("rpc", "").endswith("/SendMessage")]
    return [code for code in ended if code.lower() not in (*BUSY_CODES, "aborted")]


async def test_a_stop_closes_the_models_stream_and_costs_what_was_said(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="streams-stop"))
    conversation, fake = await alice.conversation(), stack.provider.fake
    before = fake.open_streams
    await stack.provider.script(_endless(asyncio.Event()))
    async with aclosing(_generator(alice, conversation)) as answers:
        events = [await anext(answers) for _ in range(4)]
        stopped = await alice.call("POST", f"/v1/{events[0]['message']}:stop", {})
        async with asyncio.timeout(PATIENCE_SECONDS):
            while fake.open_streams > before:
                await asyncio.sleep(0.01)
        events += [event async for event in answers]
    finished = events[-1]["finished"]
    assert (finished["reason"], finished["receipt"]["charged"]) == ("FINISH_REASON_STOPPED", "1")
    assert stopped.body == finished["message"]
    assert finished["message"]["text"] == _said(events)


async def test_a_stop_over_grpc_closes_the_models_stream_and_ends_the_call_well(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="streams-stop-grpc"))
    conversation, fake = await alice.conversation(), stack.provider.fake
    before, metadata = fake.open_streams, bearer(alice.token or "")
    await stack.provider.script(_endless(asyncio.Event()))
    async with channel(stack.url) as opened:
        request = _request(conversation)
        answers = aiter(_stub(opened).SendMessage(request, metadata=metadata))
        events = [await anext(answers) for _ in range(4)]
        stop = chat_pb2.StopMessageRequest(name=events[0].message)
        stopped = await _stub(opened).StopMessage(stop, metadata=metadata)
        await _eventually(lambda: _speaks(stack, before))
        events += [event async for event in answers]
    finished = events[-1].finished
    assert (finished.reason, finished.receipt.charged) == (chat_pb2.FINISH_REASON_STOPPED, 1)
    assert stopped == finished.message
    assert finished.message.text == "".join(event.delta.text for event in events)
    await _eventually(lambda: _ended_so(stack, "streams-stop-grpc", ["OK"]))


async def _speaks(stack: Stack, streams: int) -> bool:
    return stack.provider.fake.open_streams <= streams


async def _ended_so(stack: Stack, user: str, codes: list[str]) -> bool:
    return _ended_calls(stack, user) == codes


async def test_a_call_ends_at_its_deadline_and_the_answer_does_not(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="streams-deadline"))
    conversation, metadata = await alice.conversation(), bearer(alice.token or "")
    await stack.provider.script({"answer": ["late"], "gate": (late := asyncio.Event())})
    asked = await stack.provider.requests()
    async with _own_connection(stack.url) as opened, asyncio.timeout(PATIENCE_SECONDS):
        request = _request(conversation)
        # On a busy machine it may be over before the answer is begun.
        codes = set()
        while await stack.provider.requests() == asked:
            began = asyncio.get_running_loop().time()
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await _stub(opened).SendMessage(request, metadata=metadata, timeout=DEADLINE_SECONDS).read()
            codes.add(caught.value.code())
            if caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                assert asyncio.get_running_loop().time() - began > DEADLINE_SECONDS - 0.1
    late.set()
    # Tried again it may be refused, or find that the answer is begun by now.
    assert grpc.StatusCode.DEADLINE_EXCEEDED in codes
    assert codes <= {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED}

    async def answered() -> bool:
        messages = (await alice.read(f"/v1/{conversation}/messages"))["messages"]
        return [message["text"] for message in messages[1:]] == ["late"]

    await _eventually(answered)


async def test_slow_readers_hold_up_nobody_and_lose_nothing(stack: Stack) -> None:
    user = "streams-slow"
    await _buys(stack, user)
    rest, other = Rest(stack.url, stack.token(user=user)), Rest(stack.url, stack.token(user=f"{user}-other"))
    conversation, metadata = await rest.conversation(), bearer(rest.token or "")
    await stack.provider.script({"answer": ["word ", *PIECES], "until": (watched := asyncio.Event())})
    async with AsyncExitStack() as channels:
        stub = _stub(await channels.enter_async_context(channel(stack.url)))
        slow_stub = _stub(await channels.enter_async_context(_own_connection(stack.url, *TAKES_LITTLE)))
        request = _request(conversation)
        sending = aiter(stub.SendMessage(request, metadata=metadata))
        events = [await anext(sending)]
        slow = [slow_stub.Converse(metadata=metadata) for _ in range(READERS)]
        seen = [await _watches(call, conversation, events[0].message) for call in slow]
        at_the_edge = _memory(stack, "envoy")
        watched.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            events += [event async for event in sending]
            assert kind((await other.turn(await other.conversation()))[-1]) == "finished"
        assert events[-1].finished.message.text == "".join(event.delta.text for event in events)
        assert len(events[-1].finished.message.text) >= len("".join(PIECES))
        assert _memory(stack, "envoy") - at_the_edge < UNREAD_BYTES / 4
        async with asyncio.timeout(PATIENCE_SECONDS):
            while sum(one.event.HasField("finished") for one in seen[0]) < COPIES:
                seen[0].append(await slow[0].read())
        for copy in range(COPIES):
            log = [one.event for one in seen[0] if one.place == copy and not one.event.HasField("delayed")]
            assert [event.number for event in log if event.number] == [event.number for event in events]
        for call in slow:
            call.cancel()


async def _watches(call: Any, conversation: str, answer: str) -> list[Any]:
    """Asks for many copies of an answer on one stream; what was read of it until the first of them came."""
    await call.write(chat_pb2.ConverseRequest(place=OPENING, open=conversation))
    seen = [await call.read()]
    for copy in range(COPIES):
        await call.write(chat_pb2.ConverseRequest(place=copy, watch=chat_pb2.WatchMessageRequest(name=answer)))
    return [*seen, await call.read()]


async def _buys(stack: Stack, user: str) -> None:
    """A user's plan pays for long answers from now on."""
    headers, sent = {**JSON_TYPE, "authorization": AUTHORIZATION}, body(Purchase(user).initial_purchase())
    async with requested("POST", f"{stack.url}/v1/webhooks/revenuecat", sent, headers) as response:
        assert response.status == 200
    await until(Buyer(stack, user).allowed, "creator")


def _memory(stack: Stack, service: str) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in stack.pids(service))


def _descriptors(stack: Stack) -> int:
    return sum(psutil.Process(pid).num_fds() for pid in stack.pids("chat"))


async def test_many_streams_at_once_leave_neither_memory_nor_descriptors_behind(stack: Stack) -> None:
    people = [Rest(stack.url, stack.token(user=f"streams-many-{number}")) for number in range(STREAMS)]
    conversations = [await person.conversation() for person in people]
    await _wave(stack, people, conversations)
    memory, descriptors = _memory(stack, "chat"), _descriptors(stack)
    await _wave(stack, people, conversations)
    assert _memory(stack, "chat") - memory < STREAMS * LEFT_BYTES_MAX

    async def closed() -> bool:
        return _descriptors(stack) <= descriptors + DESCRIPTORS_MAX

    await _eventually(closed)


async def _wave(stack: Stack, people: list[Rest], conversations: list[str]) -> None:
    """One whole turn of everybody at once."""
    for _ in people:
        await stack.provider.script({"answer": ["word "] * (5 * STREAM_SECONDS), "delay_ms": 200})
    async with AsyncExitStack() as channels:
        stubs = [
            _stub(await channels.enter_async_context(_own_connection(stack.url)))
            for _ in range(-(-len(people) // STREAMS_PER_CHANNEL))
        ]
        beginning = asyncio.Semaphore(BEGINNING)
        async with asyncio.timeout(PATIENCE_SECONDS + STREAM_SECONDS), asyncio.TaskGroup() as tasks:
            turns = [
                tasks.create_task(_turn(stubs[number // STREAMS_PER_CHANNEL], person, conversation, beginning))
                for number, (person, conversation) in enumerate(zip(people, conversations, strict=True))
            ]
    assert {turn.result() for turn in turns} == {"word " * (5 * STREAM_SECONDS)}


def _own_connection(url: str, *more: tuple[str, int]) -> grpc.aio.Channel:
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.keepalive_time_ms", 10_000), *more)
    return grpc.aio.insecure_channel(url.removeprefix("http://"), options=options)


async def _turn(stub: Any, person: Rest, conversation: str, beginning: asyncio.Semaphore) -> str:
    """The text that the turn ended with."""
    async with beginning:
        first, answers = await _begun(stub, bearer(person.token or ""), conversation)
    events = [first] + [event async for event in answers]
    return str(events[-1].finished.message.text)


async def _begun(stub: Any, metadata: Any, conversation: str) -> tuple[chat_pb2.ChatEvent, Any]:
    """The first event and the rest, tried again for a while where a machine with too much to do says no."""
    request = _request(conversation)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answers = aiter(stub.SendMessage(request, metadata=metadata))
            try:
                return await anext(answers), answers
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.UNAVAILABLE, error
            await asyncio.sleep(0.2)
