"""A process of chat_svc that is asked to end in mid-answer leaves its answers to the other one."""

import asyncio
import os
import signal
from typing import Any

import grpc
import psutil

from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from tests.e2e.clients import Rest, bearer, channel
from tests.e2e.stack import Stack, until_gone

ANSWERS = 6
WHOLE_SECONDS_MAX = 120

Events = list[chat_pb2.ChatEvent]


async def test_answers_of_a_process_that_is_asked_to_end_come_whole_without_a_gap_and_cost_once(stack: Stack) -> None:
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
        (leaving, _) = (psutil.Process(pid) for pid in stack.pids("chat"))
        os.kill(leaving.pid, signal.SIGTERM)
        # No answer is whole before, so those that it makes are left.
        await until_gone([leaving])
        ended.set()
        async with asyncio.timeout(WHOLE_SECONDS_MAX):
            seen = [await turn for turn in turns]
    for events in seen:
        kinds = [event.WhichOneof("event") for event in events]
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert (kinds[0], kinds[-1], kinds.count("finished")) == ("started", "finished", 1)
        assert _said(events) == events[-1].finished.message.text != ""
        assert events[-1].finished.receipt.charged == 1
    assert any(event.HasField("seam") for events in seen for event in events), "none was handed over"
    for user in people:
        assert (await Rest(stack.url, stack.token(user=user)).settled())["used"] == "1"


async def _turn(stack: Stack, stub: "chat_pb2_grpc.ChatServiceAsyncStub", user: str, begun: asyncio.Event) -> Events:
    """Every event of a turn, of whichever process; `begun` once there is a word."""
    metadata = bearer(stack.token(user=user))
    conversation = await Rest(stack.url, stack.token(user=user)).conversation()
    events: Events = []
    call: Any = stub.SendMessage(
        chat_pb2.SendMessageRequest(parent=conversation, text="Who are you?"), metadata=metadata
    )
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
