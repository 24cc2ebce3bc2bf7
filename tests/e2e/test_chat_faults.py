"""What goes wrong around a turn, through the whole stack: bad input, engines that stall or die, cut streams."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import TypeVar
from uuid import uuid4

import aiohttp
import grpc
import psutil
import pytest

from cli.local import valkey
from cli.local.state import State
from runtime.redis import connect
from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Json, Rest, bearer, buf_curl, channel
from tests.e2e.stack import Stack, until_renewed

CHAT = "scenemesh.chat.v1.ChatService"
HEALTHY_SECONDS_MAX = 120
PAUSE_SECONDS = 6
# So much is said while something is away.
WORDS_MIN = 20
SECRET_PROMPT, SECRET_ANSWER = "prompt-4a1f-of-mine", "answer-77c2-of-its"

Event = TypeVar("Event")


def _send(conversation: str) -> str:
    return f"/v1/{conversation}/messages:send"


def _slow(until: asyncio.Event) -> Json:
    """Goes on and on before it may end."""
    return {"answer": ["word "], "delay_ms": 150, "until": until}


def _terminal(events: list[Json]) -> list[str]:
    return [kind for event in events for kind in ("finished", "failed") if kind in event]


def _said(events: list[Json]) -> str:
    return "".join(event["delta"]["text"] for event in events if "delta" in event)


def _fields(error: Json) -> list[str]:
    return [one["field"] for detail in error["details"] for one in detail.get("field_violations", ())]


async def _turns_again(rest: Rest) -> None:
    """Waits until a whole turn succeeds."""
    async with asyncio.timeout(HEALTHY_SECONDS_MAX):
        while True:
            with suppress(AssertionError, KeyError, aiohttp.ClientError):
                if _terminal(await rest.turn(await rest.conversation())) == ["finished"]:
                    return
            await asyncio.sleep(0.2)


async def test_what_is_no_message_is_refused_by_name_and_leaves_nothing_behind(stack: Stack) -> None:
    token = stack.token(user="faults-input", role="operator")
    alice = Rest(stack.url, token)
    conversation = await alice.conversation()
    for text in ("", "x" * 8_001, "é" * 8_001, "x" * 102_400):
        refused = await alice.call("POST", _send(conversation), {"text": text})
        assert (refused.status, _fields(refused.body)) == (400, ["text"])
        over_grpc = await buf_curl(
            stack.url, "grpc", f"{CHAT}/SendMessage", {"parent": conversation, "text": text}, token
        )
        assert (over_grpc.messages, (over_grpc.error or {})["code"]) == ([], "invalid_argument")
    assert (await alice.call("POST", _send(conversation), {"text": "x" * 204_800})).status == 413
    unknown = await alice.call("POST", "/v1/conversations", {"character": "characters/nobody-at-all"})
    assert (unknown.status, unknown.body["details"][0]["reason"]) == (404, "CHARACTER_NOT_FOUND")
    wish = {"text": "Who?", "choice": {"model": "no-such-model"}}
    unknown = await alice.call("POST", _send(conversation), wish)
    assert (unknown.status, unknown.body["details"][0]["reason"]) == (404, "MODEL_NOT_FOUND")
    assert (await alice.call("GET", f"/v1/{conversation}/messages")).body["messages"] == []
    assert (await alice.settled())["used"] == "0"


async def test_bytes_that_are_no_text_are_refused(stack: Stack) -> None:
    token = stack.token(user="faults-bytes")
    alice = Rest(stack.url, token)
    conversation = await alice.conversation()
    assert (await alice.call("POST", _send(conversation), b'{"text": "a\xff\xfe"}')).status == 400
    parent = conversation.encode()
    body = b"\x0a" + bytes([len(parent)]) + parent + b"\x12\x03a\xff\xfe"
    async with channel(stack.url) as opened:
        call: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = opened.unary_stream(f"/{CHAT}/SendMessage")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [part async for part in call(body, metadata=bearer(token), timeout=HEALTHY_SECONDS_MAX)]
    refusal = caught.value.code(), error_info(caught.value).reason
    assert refusal == (grpc.StatusCode.INVALID_ARGUMENT, "MALFORMED_REQUEST")
    assert (await alice.call("GET", f"/v1/{conversation}/messages")).body["messages"] == []


async def test_of_two_messages_at_once_one_is_refused(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="faults-twins"))
    conversation = await alice.conversation()
    await stack.provider.script(_slow(over := asyncio.Event()))
    answers = alice.events("POST", _send(conversation), {"text": "First."})
    events = [await anext(answers)]
    refused = await alice.call("POST", _send(conversation), {"text": "Second."})
    assert (refused.status, refused.body["details"][0]["reason"]) == (409, "ANSWER_IN_PROGRESS")
    over.set()
    events += [event async for event in answers]
    assert _terminal(events) == ["finished"]
    messages = (await alice.call("GET", f"/v1/{conversation}/messages")).body["messages"]
    assert ([message["text"] for message in messages][:1], len(messages)) == (["First."], 2)
    assert (await alice.settled())["used"] == "1"


async def test_what_is_said_survives_a_crash_of_postgres(stack: Stack) -> None:
    """The death of one backend makes Postgres end all others and recover from its log."""
    alice = Rest(stack.url, stack.token(user="faults-postgres"))
    conversation = await alice.conversation()
    await stack.provider.script(_slow(over := asyncio.Event()))
    answers = alice.events("POST", _send(conversation), {"text": "Who are you?"})
    events = [await anext(answers) for _ in range(3)]
    (postmaster,) = stack.pids("postgres")
    backends = [one for one in psutil.Process(postmaster).children() if " chat" in _command(one)]
    backends = backends or psutil.Process(postmaster).children()[-1:]
    backends[0].kill()
    events += [await anext(answers) for _ in range(WORDS_MIN)]
    over.set()
    events += [event async for event in answers]
    assert _terminal(events) == ["finished"]
    assert events[-1]["finished"]["message"]["text"] == _said(events)
    await _turns_again(Rest(stack.url, stack.token(user="faults-postgres-after")))
    _, answer = (await alice.call("GET", f"/v1/{conversation}/messages")).body["messages"]
    assert (answer["text"], answer["state"]) == (_said(events), "MESSAGE_STATE_COMPLETE")
    assert (await alice.settled())["used"] == "1"


def _command(process: psutil.Process) -> str:
    """What a process was started with; nothing where it has ended meanwhile."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(process.cmdline())
    return ""


async def test_a_redis_that_stalls_ends_no_stream(stack: Stack) -> None:
    alice = Rest(stack.url, stack.token(user="faults-redis"))
    conversation = await alice.conversation()
    await stack.provider.script(_slow(over := asyncio.Event()))
    answers = alice.events("POST", _send(conversation), {"text": "Who are you?"})
    events = [await anext(answers) for _ in range(3)]
    async with _paused(stack.pids("valkey")):
        events += [await anext(answers) for _ in range(WORDS_MIN)]
    over.set()
    events += [event async for event in answers]
    assert _terminal(events) == ["finished"]
    assert events[-1]["finished"]["message"]["text"] == _said(events)
    await _turns_again(Rest(stack.url, stack.token(user="faults-redis-after")))
    assert [event async for event in alice.events("GET", f"/v1/{events[0]['message']}:watch")] == events
    assert (await alice.settled())["used"] == "1"


@asynccontextmanager
async def _gone(stack: Stack) -> AsyncIterator[None]:
    """For the block Redis is as one that died: its connections are closed, and it takes no new ones."""
    sockets = State(stack.state).sockets
    socket, away = sockets / valkey.SOCKET, sockets / f"{valkey.SOCKET}.away"
    async with connect(valkey.url(sockets)) as redis:
        await redis.ping()
        socket.rename(away)
        try:
            # All but this one.
            await redis.client_kill_filter(_type="normal", skipme=True)
            yield
        finally:
            away.rename(socket)


@asynccontextmanager
async def _flushed(stack: Stack) -> AsyncIterator[None]:
    """Redis has forgotten everything, and nobody is told."""
    async with connect(valkey.url(State(stack.state).sockets)) as redis:
        await redis.flushall()
    yield


@pytest.mark.parametrize("loss", [_gone, _flushed], ids=["gone", "flushed"])
async def test_a_redis_that_dies_or_forgets_costs_nobody_a_word(
    stack: Stack, loss: Callable[[Stack], AbstractAsyncContextManager[None]]
) -> None:
    user = f"faults{loss.__name__.replace('_', '-')}"
    alice = Rest(stack.url, stack.token(user=user))
    conversation = await alice.conversation()
    await stack.provider.script(_slow(over := asyncio.Event()))
    answers = alice.events("POST", _send(conversation), {"text": "Who are you?"})
    events = [await anext(answers) for _ in range(3)]
    async with loss(stack):
        events += [await anext(answers) for _ in range(WORDS_MIN)]
    over.set()
    events += [event async for event in answers]
    assert _terminal(events) == ["finished"]
    assert events[-1]["finished"]["message"]["text"] == _said(events)
    await _turns_again(Rest(stack.url, stack.token(user=f"{user}-after")))
    assert [event async for event in alice.events("GET", f"/v1/{events[0]['message']}:watch")] == events
    _, answer = (await alice.read(f"/v1/{conversation}/messages"))["messages"]
    assert (answer["text"], answer["state"]) == (_said(events), "MESSAGE_STATE_COMPLETE")
    assert (await alice.settled())["used"] == "1"


@asynccontextmanager
async def _paused(pids: list[int]) -> AsyncIterator[None]:
    """Processes stand still for the block, and for some seconds at least."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(PAUSE_SECONDS)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def test_a_stream_that_is_cut_is_an_error_in_every_protocol_and_never_an_end(stack: Stack) -> None:
    over = asyncio.Event()
    for _ in range(3):
        await stack.provider.script(_slow(over))
    users = {
        protocol: stack.token(user=f"faults-cut-{protocol}", role="operator") for protocol in ("sse", "grpc", "web")
    }
    conversations = {name: await Rest(stack.url, token).conversation() for name, token in users.items()}
    request = {"parent": conversations["web"], "text": "Who are you?", "request_id": str(uuid4())}
    begun = {name: asyncio.Event() for name in users}
    web = asyncio.create_task(
        buf_curl(stack.url, "grpcweb", f"{CHAT}/SendMessage", request, users["web"], begun["web"])
    )
    sse = asyncio.create_task(_over_sse(Rest(stack.url, users["sse"]), conversations["sse"], begun["sse"]))
    over_grpc = asyncio.create_task(_over_grpc(stack, users["grpc"], conversations["grpc"], begun["grpc"]))
    async with asyncio.timeout(HEALTHY_SECONDS_MAX):
        await asyncio.gather(*(one.wait() for one in begun.values()))
    killed = stack.pids("chat")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    events, broke = await sse
    assert (_terminal(events), broke) == ([], True)
    code, kinds = await over_grpc
    assert code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL)
    assert not {"finished", "failed"} & set(kinds)
    answered = await web
    assert _terminal(answered.messages) == []
    assert (answered.error or {})["code"] in ("unavailable", "internal")
    await _turns_again(Rest(stack.url, stack.token(user="faults-cut-after")))
    await until_renewed(stack, killed)


async def _over_sse(rest: Rest, conversation: str, begun: asyncio.Event) -> tuple[list[Json], bool]:
    """The events, and whether the stream told that it broke off: by an event, or by its connection."""
    answers = rest.events("POST", _send(conversation), {"text": "Who are you?"})
    events, error = await _until_broken(answers, begun)
    return events, isinstance(error, aiohttp.ClientError) or "code" in events[-1]


async def _over_grpc(
    stack: Stack, token: str, conversation: str, begun: asyncio.Event
) -> tuple[grpc.StatusCode | None, list[str | None]]:
    async with channel(stack.url) as opened:
        request = chat_pb2.SendMessageRequest(parent=conversation, text="Who are you?", request_id=str(uuid4()))
        answers = chat_pb2_grpc.ChatServiceStub(opened).SendMessage(request, metadata=bearer(token))
        events, error = await _until_broken(aiter(answers), begun)
    kinds = [event.WhichOneof("event") for event in events]
    return error.code() if isinstance(error, grpc.aio.AioRpcError) else None, kinds


async def _until_broken(stream: AsyncIterator[Event], begun: asyncio.Event) -> tuple[list[Event], Exception | None]:
    """What came, and how it ended, None where it ended well; `begun` is set with the first event."""
    came: list[Event] = []
    while True:
        try:
            came.append(await anext(stream))
            begun.set()
        except StopAsyncIteration:
            return came, None
        except (aiohttp.ClientError, grpc.aio.AioRpcError) as error:
            return came, error


async def test_no_log_has_what_was_said_or_shown(stack: Stack) -> None:
    token = stack.token(user="faults-secrets")
    alice = Rest(stack.url, token)
    conversation = await alice.conversation()
    for behaviour in (
        {"answer": [SECRET_ANSWER]},
        {"answer": [SECRET_ANSWER, "x"], "cut_after": 1},
        {"answer": [SECRET_ANSWER, "x"], "malformed_after": 1},
        {"answer": [SECRET_ANSWER, "x"], "error_after": 1},
        {"status": 400},
    ):
        await stack.provider.script(behaviour)
        await alice.turn(conversation, SECRET_PROMPT)
    await alice.call("POST", _send(conversation), {"text": SECRET_PROMPT, "nonsense": SECRET_ANSWER})
    await alice.call("POST", _send(conversation), {"text": SECRET_PROMPT * 8_000})
    await Rest(stack.url, token + "x").call("GET", f"/v1/{conversation}")
    secrets = (SECRET_PROMPT, SECRET_ANSWER, token, token.split(".")[2], "BEGIN PRIVATE KEY", "whsec_")
    logs = {path.name: path.read_text(errors="replace") for path in (stack.state / "logs").iterdir()}
    logs["up"] = "".join(stack.said)
    assert {(name, secret) for name, text in logs.items() for secret in secrets if secret in text} == set()
