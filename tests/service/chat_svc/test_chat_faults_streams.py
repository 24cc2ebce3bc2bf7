"""Many streams on one process: idle ones that are pinged, and what they leave behind."""

import asyncio
import os
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import Any

import grpc
import psutil
import pytest

from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.domain.model import Limits, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.harness.serving import client_credentials
from tests.service.chat_svc.replica import Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

# At most 280: no answer takes longer than 290. The fourth ping is the first that a server may hold against its client.
IDLE_SECONDS = int(os.environ.get("SCENEMESH_TEST_IDLE_SECONDS", "25"))
# An answer that is silent for longer is given up.
TICK_SECONDS = 45
CONNECTIONS, STREAMS = 4, 200
TURNS, BEGINNING = 60, 5
# What leaks leaks each time.
TRIES_MAX, SETTLE_SECONDS = 3, 10
PINGING = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 5_100),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.min_sent_ping_interval_without_data_ms", 5_100),
)


async def test_idle_streams_on_connections_that_are_pinged_live_on(
    around: Surroundings, claude: Model, fake: FakeProvider
) -> None:
    patient = replace(claude, limits=Limits(60, 60))
    fake.script(Behaviour(answer=["tick "] * (2 + IDLE_SECONDS // TICK_SECONDS), delay_ms=1_000 * TICK_SECONDS))
    async with replica(around, [patient], idle_seconds=60) as running, AsyncExitStack() as stack:
        alice = running.person()
        conversation = await alice.conversation()
        sending = asyncio.create_task(alice.turn(conversation))
        await eventually(lambda: len(fake.requests) == 1)
        request = chat_pb2.WatchMessageRequest(name=(await alice.messages(conversation))[1].name)
        stubs = [await _pinging(stack, running) for _ in range(CONNECTIONS)]
        calls = [
            stubs[number % CONNECTIONS].WatchMessage(request, metadata=alice.metadata) for number in range(STREAMS)
        ]
        ended = [asyncio.create_task(_last(call)) for call in calls]
        done, _ = await asyncio.wait(ended, timeout=IDLE_SECONDS)
        assert done == set()
        await alice.stub.StopMessage(chat_pb2.StopMessageRequest(name=request.name), metadata=alice.metadata)
        assert {await last for last in ended} == {"finished"}
        await asyncio.wait([sending])


async def _pinging(stack: AsyncExitStack, running: Replica) -> Any:
    credentials = client_credentials(running.dial.certificates / "edge")
    channel = grpc.aio.secure_channel(running.dial.target, credentials, options=PINGING)
    return chat_pb2_grpc.ChatServiceStub(await stack.enter_async_context(channel))


async def _last(call: Any) -> str:
    """The kind of a stream's last event."""
    return kinds([event async for event in call])[-1]


async def test_turns_leave_neither_a_task_nor_a_descriptor_behind(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = (1 + 2 * TRIES_MAX) * TURNS
    fake.otherwise = Behaviour(answer=["word "] * 5, delay_ms=200)
    conversations = [await alice.conversation() for _ in range(TURNS)]
    await _all(alice, conversations)
    before = _left()
    for _ in range(TRIES_MAX):
        for _ in range(2):
            await _all(alice, conversations)
        if await _leave_no_more_than(before):
            return
        before = _left()
    pytest.fail(f"each time {TURNS} turns leave more behind: {before} by now")


def _left() -> tuple[int, int]:
    """Tasks and descriptors that there are."""
    return len(asyncio.all_tasks()), psutil.Process().num_fds()


async def _leave_no_more_than(before: tuple[int, int]) -> bool:
    """Whether what is left comes down to that: connections, to models and to the database, may be a few more."""
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_SECONDS):
            while any(now > then for now, then in zip(_left(), before, strict=True)):
                await asyncio.sleep(0.01)
            return True
    return False


async def _all(person: Person, conversations: list[str]) -> None:
    """A turn in each conversation, all of them at once, of which a few begin together."""
    beginning = asyncio.Semaphore(BEGINNING)

    async def turn(conversation: str) -> str:
        answers = person.sending(conversation)
        async with beginning:
            first = await anext(answers)
        return kinds([first, *[event async for event in answers]])[-1]

    async with asyncio.TaskGroup() as tasks:
        turns = [tasks.create_task(turn(conversation)) for conversation in conversations]
    assert {turn.result() for turn in turns} == {"finished"}
