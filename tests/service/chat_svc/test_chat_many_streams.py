"""Streams that are begun, read, left and run out, by the hundred: nothing of them stays in the process."""

import asyncio
import gc
import inspect
from collections import Counter
from pathlib import Path

import grpc
import psutil
import pytest

from runtime.postgres import CONNECTIONS_MAX
from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import stop
from tests.service.chat_svc.replica import Person, eventually
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

ROOT = Path(__file__).parents[3]
OURS = ("runtime", "scenemesh", "services")
FOLDERS = tuple(f"{ROOT / package}/" for package in OURS)
WAVES, STREAMS_OF_A_KIND = 2, 40
DEADLINE_SECONDS = 0.3


async def test_nothing_stays_of_streams_that_ended_were_left_or_ran_out(
    alice: Person, fake: FakeProvider, quota: FakeQuota, caplog: pytest.LogCaptureFixture
) -> None:
    quota.left = 1 + WAVES
    conversation = await alice.conversation("Titled")
    await _wave(alice, conversation, fake)
    tasks, descriptors, things = len(asyncio.all_tasks()), psutil.Process().num_fds(), _things()
    for _ in range(WAVES):
        await _wave(alice, conversation, fake)
    # What is told of an error holds what it was about.
    caplog.clear()
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
    # The next wave may need more connections to the database than the first.
    await eventually(lambda: psutil.Process().num_fds() <= descriptors + CONNECTIONS_MAX)
    await eventually(lambda: _more(things, _things()) == set())


def _more(before: Counter[str], now: Counter[str]) -> set[str]:
    """The things of which as many came as a wave has streams of a kind."""
    return {thing for thing, more in (now - before).items() if more >= STREAMS_OF_A_KIND}


async def _wave(person: Person, conversation: str, fake: FakeProvider) -> None:
    """A turn that is watched by many: some read all, some leave, some have not the time."""
    fake.script(Behaviour(answer=["word "] * 20, delay_ms=50, stall_after=19))
    sending = person.sending(conversation)
    request = chat_pb2.WatchMessageRequest(name=(await anext(sending)).message)

    async def read() -> str:
        async with reading(person.stub.WatchMessage(request, metadata=person.metadata)) as call:
            return kinds([event async for event in call])[-1]

    async def leave() -> str:
        async with reading(person.stub.WatchMessage(request, metadata=person.metadata)) as call:
            async for event in call:
                if event.HasField("delta"):
                    break
        return "left"

    async def run_out() -> str:
        short = person.stub.WatchMessage(request, metadata=person.metadata, timeout=DEADLINE_SECONDS)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            _ = [event async for event in short]
        return caught.value.code().name

    async with asyncio.TaskGroup() as streams:
        reading_all = [streams.create_task(read()) for _ in range(STREAMS_OF_A_KIND)]
        others = [streams.create_task(how()) for how in (leave, run_out) for _ in range(STREAMS_OF_A_KIND)]
        # The answer goes on for as long as anybody is to leave it.
        await asyncio.wait(others)
        await stop(person, request.name)
    ends = Counter(stream.result() for stream in (*reading_all, *others))
    assert ends == dict.fromkeys(("finished", "left", "DEADLINE_EXCEEDED"), STREAMS_OF_A_KIND)
    assert kinds([event async for event in sending])[-1] == "finished"


def _things() -> Counter[str]:
    """How many things of ours there are in memory: objects of our classes, calls under way of our functions."""
    gc.collect()
    things = Counter[str]()
    for one in gc.get_objects():
        if inspect.isasyncgen(one) or inspect.iscoroutine(one):
            code = one.ag_code if inspect.isasyncgen(one) else one.cr_code
            if code.co_filename.startswith(FOLDERS):
                things[f"{code.co_filename}: {one.__qualname__}"] += 1
        elif str(type(one).__module__).partition(".")[0] in OURS:
            things[f"{type(one).__module__}.{type(one).__qualname__}"] += 1
    return things
