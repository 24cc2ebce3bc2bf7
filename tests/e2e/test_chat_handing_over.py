"""The processes of chat_svc are asked to end in mid-answer, one by one: whoever serves goes on with what they leave."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import psutil
import pytest

from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Rest, bearer, channel
from tests.e2e.stack import Stack, running, until_gone

ANSWERS = 6
RESTARTED_SECONDS_MAX = 90
WHOLE_SECONDS_MAX = 120

Events = list[chat_pb2.ChatEvent]


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """One whose model has never failed: who takes over asks none that rests."""
    async with running(tmp_path, "--replicas", "chat=2") as stack:
        yield stack


async def test_answers_of_processes_that_are_asked_to_end_come_whole_without_a_gap_and_cost_once(stack: Stack) -> None:
    ended = asyncio.Event()
    for _ in range(ANSWERS):
        await stack.provider.script({"answer": ["slow "], "delay_ms": 400, "until": ended})
    people = [f"leaving-{number}" for number in range(ANSWERS)]
    begun = [asyncio.Event() for _ in people]
    async with channel(stack.url) as opened, asyncio.TaskGroup() as tasks:
        stub = chat_pb2_grpc.ChatServiceStub(opened)
        turns = [tasks.create_task(_turn(stack, stub, user, said)) for user, said in zip(people, begun, strict=True)]
        for said in begun:
            await said.wait()
        # No answer is whole before, so each is left by the one or the other, or by both.
        for pid in stack.pids("chat"):
            await _leaves(stack, pid)
        ended.set()
        async with asyncio.timeout(WHOLE_SECONDS_MAX):
            seen = [await turn for turn in turns]
    for events in seen:
        kinds = [event.WhichOneof("event") for event in events]
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert (kinds[0], kinds[-1], kinds.count("finished")) == ("started", "finished", 1)
        assert _said(events) == events[-1].finished.message.text != ""
        assert events[-1].finished.receipt.charged == 1
        assert any(event.HasField("seam") for event in events), "it was not handed over"
    for user in people:
        assert (await Rest(stack.url, stack.token(user=user)).settled())["used"] == "1"


async def _leaves(stack: Stack, pid: int) -> None:
    """As in a rolling restart: a process is asked to end, and the next one serves before another has to."""
    leaving, count = psutil.Process(pid), len(stack.pids("chat"))
    leaving.terminate()
    await until_gone([leaving])
    async with asyncio.timeout(RESTARTED_SECONDS_MAX):
        while len(set(stack.pids("chat")) - {pid}) != count:
            await asyncio.sleep(0.05)


async def _turn(stack: Stack, stub: "chat_pb2_grpc.ChatServiceAsyncStub", user: str, begun: asyncio.Event) -> Events:
    """Every event of a turn, of whichever process; `begun` once there is a word."""
    metadata = bearer(stack.token(user=user))
    conversation = await Rest(stack.url, stack.token(user=user)).conversation()
    events: Events = []
    sent = chat_pb2.SendMessageRequest(parent=conversation, text="Who are you?", request_id=str(uuid4()))
    call: Any = stub.SendMessage(sent, metadata=metadata)
    while True:
        try:
            async with reading(call) as heard:
                async for event in heard:
                    if event.HasField("delayed"):
                        continue
                    events.append(event)
                    if len(events) == 3:
                        begun.set()
        except grpc.aio.AioRpcError:
            assert events, "it was cut off before it began"
        if events[-1].WhichOneof("event") in ("finished", "failed"):
            return events
        await asyncio.sleep(0.1)
        request = chat_pb2.WatchMessageRequest(name=events[0].message, after=events[-1].number)
        call = stub.WatchMessage(request, metadata=metadata)


def _said(events: Events) -> str:
    text = ""
    for event in events:
        text = text[: event.seam.kept_characters] if event.HasField("seam") else text + event.delta.text
    return text
