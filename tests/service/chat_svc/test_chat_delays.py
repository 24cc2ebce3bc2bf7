"""Whoever watches from another process than the one that makes the answer is told when the live text cannot be read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, replace
from itertools import pairwise

import pytest
from redis.asyncio import Redis

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.gate import Gate, before_redis
from tests.service.chat_svc.groups import stop
from tests.service.chat_svc.replica import Events, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds, said, without_delays
from tests.service.chat_svc.test_chat_converse import conversing

# The model says this much, and then nothing until the person stops it.
SAID = ["Elem", "entary"]


@dataclass(frozen=True)
class Gated:
    """Two replicas, of which one has a gate on its way to Redis."""

    here: Replica
    there: Replica
    redis: Gate


@pytest.fixture
async def gated(around: Surroundings, claude: Model, redis_url: str) -> AsyncIterator[Gated]:
    async with AsyncExitStack() as stack:
        redis, url = await stack.enter_async_context(before_redis(redis_url))
        here = await stack.enter_async_context(replica(around, [claude]))
        there = await stack.enter_async_context(replica(replace(around, redis_url=url), [claude]))
        yield Gated(here, there, redis)


def is_told_once(events: Events) -> bool:
    """Whether each delay, which is over with the next word, was told once."""
    return all(pair != ("delayed", "delayed") for pair in pairwise(kinds(events)))


async def _heard(stream: AsyncIterator[chat_pb2.ChatEvent], heard: Events) -> None:
    async for event in stream:
        heard.append(event)


async def test_whoever_watches_from_afar_is_told_once_that_redis_is_away_and_sees_the_rest_at_the_end(
    gated: Gated, fake: FakeProvider
) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=SAID, stall_after=2))
    async with aclosing(here.sending(await here.conversation())) as stream, asyncio.TaskGroup() as tasks:
        events = [await anext(stream) for _ in range(3)]
        seen: Events = []
        tasks.create_task(_heard(there.watching(events[0].message), seen))
        await eventually(lambda: len(without_delays(seen)) == 3)
        await gated.redis.close()
        await eventually(lambda: kinds(seen)[-1] == "delayed")
        # Another look that fails is no news. What the process has read before, it has for others, too.
        late: Events = []
        tasks.create_task(_heard(there.watching(events[0].message, after=2), late))
        await eventually(lambda: kinds(late) == ["delta", "delayed"])
        await stop(here, events[0].message)
        events += [event async for event in stream]
    delayed = chat_pb2.ChatEvent(message=events[0].message, number=3, delayed=chat_pb2.Delayed())
    assert (without_delays(seen), seen[-2]) == (events, delayed)
    assert is_told_once(seen)
    assert late == [events[2], delayed, *events[3:]]


async def test_text_goes_on_when_redis_is_back_and_another_outage_is_told_anew(
    gated: Gated, fake: FakeProvider
) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=["word "] * 2_000, delay_ms=50))
    async with aclosing(here.sending(await here.conversation())) as stream, asyncio.TaskGroup() as tasks:
        events = [await anext(stream)]
        seen: Events = []
        tasks.create_task(_heard(there.watching(events[0].message), seen))
        for _ in range(2):
            # On a busy machine Redis may have seemed to be away before.
            told = kinds(seen).count("delayed")
            await gated.redis.close()
            await eventually(lambda: kinds(seen).count("delayed") > told)  # noqa: B023 (awaited at once)
            await gated.redis.open()
            await eventually(lambda: kinds(seen)[-1] == "delta")
        await stop(here, events[0].message)
        events += [event async for event in stream]
    assert (without_delays(seen), said(seen)) == (events, said(events))
    assert is_told_once(seen)


async def test_whoever_watches_is_told_that_the_one_who_makes_the_answer_has_lost_redis(
    gated: Gated, fake: FakeProvider
) -> None:
    watching, making = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=["word "] * 2_000, delay_ms=50))
    async with aclosing(making.sending(await making.conversation())) as stream, asyncio.TaskGroup() as tasks:
        events = [await anext(stream)]
        seen: Events = []
        tasks.create_task(_heard(watching.watching(events[0].message), seen))
        await eventually(lambda: len(seen) > 2)
        await gated.redis.close()
        await eventually(lambda: kinds(seen)[-1] == "delayed")
        await gated.redis.open()
        await eventually(lambda: kinds(seen)[-1] == "delta")
        await stop(making, events[0].message)
        events += [event async for event in stream]
    assert without_delays(seen) == events


async def test_before_its_first_word_an_answer_is_delayed_at_the_number_nought(
    gated: Gated, fake: FakeProvider
) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=SAID, stall_after=2))
    async with aclosing(here.sending(await here.conversation())) as stream:
        events = [await anext(stream) for _ in range(3)]
        await gated.redis.close()
        async with aclosing(there.watching(events[0].message)) as afar:
            delayed = await anext(afar)
            assert delayed == chat_pb2.ChatEvent(message=events[0].message, delayed=chat_pb2.Delayed())
            await gated.redis.open()
            assert [await anext(afar) for _ in range(3)] == events
        await stop(here, events[0].message)


async def test_whoever_watches_what_redis_has_lost_is_told_and_sees_it_at_the_end(
    gated: Gated, fake: FakeProvider, redis_url: str
) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=["word "] * 2_000, delay_ms=50))
    async with aclosing(here.sending(await here.conversation())) as stream, asyncio.TaskGroup() as tasks:
        events = [await anext(stream) for _ in range(3)]
        async with Redis.from_url(redis_url) as redis:
            assert await redis.xtrim(f"chat:log:{events[0].message.rpartition('/')[2]}", maxlen=0) > 0
        # Behind the gap now.
        events += [await anext(stream) for _ in range(2)]
        seen: Events = []
        tasks.create_task(_heard(there.watching(events[0].message), seen))
        await eventually(lambda: kinds(seen) == ["delayed"])
        await stop(here, events[0].message)
        events += [event async for event in stream]
    assert (kinds(seen)[0], seen[1:]) == ("delayed", events)


async def test_a_conversation_in_one_stream_is_told_too(gated: Gated, fake: FakeProvider) -> None:
    here, there = gated.here.person(), gated.there.person()
    fake.script(Behaviour(answer=SAID, stall_after=2))
    conversation = await here.conversation()
    async with aclosing(here.sending(conversation)) as sent, conversing(there) as stream:
        events = [await anext(sent) for _ in range(3)]
        await gated.redis.close()
        await stream.say(1, open=conversation)
        await stream.say(2, watch=chat_pb2.WatchMessageRequest(name=events[0].message, after=3))
        told = (await stream.hear_until("delayed"))[-1]
        await stop(here, events[0].message)
        last = (await stream.hear_until("finished"))[-1]
    delayed = chat_pb2.ChatEvent(message=events[0].message, number=3, delayed=chat_pb2.Delayed())
    assert (told.place, told.event, last.event.number) == (2, delayed, 4)
