"""Redis goes away, stalls or forgets: answers go on where they are made, and what is lost is said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.gate import Gate, before_redis
from tests.service.chat_svc.groups import stop
from tests.service.chat_svc.replica import Replica, Surroundings, replica
from tests.service.chat_svc.shape import kinds, said, without_delays

# Below what the client of a Redis that stalls waits here.
WHOLE_SECONDS_MAX = 29


@dataclass(frozen=True)
class Gated:
    """Two replicas whose way to Redis is a gate."""

    here: Replica
    there: Replica
    redis: Gate


@pytest.fixture
async def gated(around: Surroundings, claude: Model, redis_url: str) -> AsyncIterator[Gated]:
    async with AsyncExitStack() as stack:
        redis, url = await stack.enter_async_context(before_redis(redis_url))
        gated = replace(around, redis_url=url)
        here, there = [await stack.enter_async_context(replica(gated, [claude])) for _ in range(2)]
        yield Gated(here, there, redis)


async def test_without_redis_a_stop_still_reaches_the_process_that_makes_the_answer(
    gated: Gated, fake: FakeProvider
) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(here.sending(await here.conversation())) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        await gated.redis.close()
        request = chat_pb2.StopMessageRequest(name=started.message)
        stopped = await there.stub.StopMessage(request, metadata=there.metadata)
        rest = [event async for event in stream]
    assert (stopped.text, rest[-1].finished.reason) == ("Elem", chat_pb2.FINISH_REASON_STOPPED)


async def test_without_redis_another_process_shows_the_whole_at_the_end_and_says_why(
    gated: Gated, fake: FakeProvider
) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=["word "] * 2_000, delay_ms=50))
    conversation = await here.conversation()
    stream = here.sending(conversation)
    with capture_logs() as logs:
        events = [await anext(stream) for _ in range(3)]
        await gated.redis.close()
        afar = there.watching(events[0].message)
        watched = [await anext(afar)]
        _, answer = await there.messages(conversation)
        events += [await anext(stream) for _ in range(3)]
        await stop(here, events[0].message)
        events += [event async for event in stream]
        watched += [event async for event in afar]
    assert (kinds(events)[-1], answer.text) == ("finished", "")
    assert events[-1].finished.message.text == said(events)
    assert without_delays(watched) == events
    told = {"live logs not mirrored", "live log not read", "answer shown without its text"}
    assert told <= {line["event"] for line in logs}


async def test_a_redis_that_stalls_does_not_stop_an_answer(
    gated: Gated, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chat_svc.answering.journal.WRITE_SECONDS_MAX", 2.0)
    alice = gated.here.person()
    fake.script(Behaviour(answer=["word "] * 30, delay_ms=30))
    stream = alice.sending(await alice.conversation())
    events = [await anext(stream) for _ in range(3)]
    gated.redis.stall()
    async with asyncio.timeout(WHOLE_SECONDS_MAX):
        events += [event async for event in stream]
    assert (kinds(events)[-1], said(events)) == ("finished", "word " * 30)
    await gated.redis.open()
    assert await gated.there.person().watched(events[0].message) == events


async def test_a_redis_that_forgets_costs_no_word(gated: Gated, fake: FakeProvider, redis_url: str) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=["word "] * 30, delay_ms=30))
    stream = here.sending(await here.conversation())
    events = [await anext(stream) for _ in range(3)]
    async with Redis.from_url(redis_url) as redis:
        await redis.flushall()
    watched = asyncio.create_task(there.watched(events[0].message))
    events += [event async for event in stream]
    assert (kinds(events)[-1], said(events)) == ("finished", "word " * 30)
    assert without_delays(await watched) == events
