"""Redis stands still: who watches from another process is told so over every protocol, and misses nothing."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import grpc
from google.protobuf import json_format

from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Json, Rest, bearer, channel, requested
from tests.e2e.stack import Stack, until_balanced

# So many watch over each protocol that some of them are sure to watch from the process that does not make the answer,
# where both get calls; every other one has seen the first events of it.
WATCHERS = 6
SEEN = 2
DELAYED_SECONDS_MAX = 90
PREFIX_BYTES = 5
TRAILERS = 0x80


@dataclass
class Watcher:
    """What one saw behind the event number `after`, and with SSE the id line of each event."""

    after: int = 0
    seen: list[Json] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def is_delayed(self) -> bool:
        return any("delayed" in event for event in self.seen)

    @property
    def log(self) -> list[str]:
        """The numbers of what is of the log."""
        return [event["number"] for event in self.seen if "delayed" not in event]

    @property
    def delays(self) -> list[tuple[str, str]]:
        """The number of every delay, and of the event before it."""
        before = zip([{"number": str(self.after)}, *self.seen], self.seen, strict=False)
        return [(event["number"], last["number"]) for last, event in before if "delayed" in event]


async def test_a_delay_is_told_over_every_protocol_and_is_no_part_of_the_log(stack: Stack) -> None:
    await until_balanced(stack, "delays-before")
    ada = Rest(stack.url, stack.token(user="delays"))
    conversation = await ada.conversation()
    told = asyncio.Event()
    await stack.provider.script({"answer": ["word "], "delay_ms": 150, "until": told})
    sending = ada.events("POST", f"/v1/{conversation}/messages:send", {"text": "Who are you?"})
    events = [await anext(sending) for _ in range(3)]
    answer = events[0]["message"]
    afters = [number % 2 * SEEN for number in range(WATCHERS)]
    watchers = {watch: [Watcher(after) for after in afters] for watch in (_over_sse, _over_grpc, _over_web)}
    async with asyncio.TaskGroup() as tasks:
        for watch, several in watchers.items():
            for one in several:
                tasks.create_task(watch(ada, answer, one))
        await _until(lambda: all(one.seen for several in watchers.values() for one in several))
        with _paused(stack.pids("valkey")):
            await _until(lambda: all(any(one.is_delayed for one in several) for several in watchers.values()))
        told.set()
        events += [event async for event in sending]
    for several in watchers.values():
        for one in several:
            assert one.log == [event["number"] for event in events[one.after :]]
            assert [number for number, _ in one.delays] == [last for _, last in one.delays]
    for one in watchers[_over_sse]:
        assert one.ids == [f"id: {event['number']}" for event in one.seen]
        assert [event for event in one.seen if "delayed" not in event] == events[one.after :]
    delayed_at = int(next(one.delays[0][0] for one in watchers[_over_sse] if one.delays))
    back = [event async for event in ada.events("GET", f"/v1/{answer}:watch?after={delayed_at}")]
    assert back == events[delayed_at:]


async def _over_sse(rest: Rest, answer: str, watcher: Watcher) -> None:
    url = f"{rest.url}/v1/{answer}:watch?after={watcher.after}"
    async with requested("GET", url, headers=rest.headers()) as response:
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("id: "):
                watcher.ids.append(line)
            elif line.startswith("data: "):
                watcher.seen.append(json.loads(line.removeprefix("data: ")))


async def _over_grpc(rest: Rest, answer: str, watcher: Watcher) -> None:
    async with channel(rest.url) as opened:
        call: Any = chat_pb2_grpc.ChatServiceStub(opened).WatchMessage(
            chat_pb2.WatchMessageRequest(name=answer, after=watcher.after), metadata=bearer(rest.token or "")
        )
        async with reading(call) as events:
            async for event in events:
                watcher.seen.append(_json(event))
        assert await call.code() is grpc.StatusCode.OK


async def _over_web(rest: Rest, answer: str, watcher: Watcher) -> None:
    url = f"{rest.url}/scenemesh.chat.v1.ChatService/WatchMessage"
    message = chat_pb2.WatchMessageRequest(name=answer, after=watcher.after).SerializeToString()
    headers = {**rest.headers(), "content-type": "application/grpc-web+proto"}
    async with requested("POST", url, bytes([0]) + len(message).to_bytes(4) + message, headers) as response:
        async for flag, said in _frames(response.content):
            if flag & TRAILERS:
                assert b"grpc-status:0" in said
            else:
                watcher.seen.append(_json(chat_pb2.ChatEvent.FromString(said)))


async def _frames(stream: aiohttp.StreamReader) -> AsyncIterator[tuple[int, bytes]]:
    while not stream.at_eof():
        try:
            prefix = await stream.readexactly(PREFIX_BYTES)
        except asyncio.IncompleteReadError:
            return
        yield prefix[0], await stream.readexactly(int.from_bytes(prefix[1:]))


def _json(event: chat_pb2.ChatEvent) -> Json:
    told: Json = json_format.MessageToDict(event, preserving_proto_field_name=True)
    return {"number": "0", **told}


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(DELAYED_SECONDS_MAX):
        while not true():
            await asyncio.sleep(0.05)


@contextmanager
def _paused(pids: list[int]) -> Iterator[None]:
    """Processes stand still for the block."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
