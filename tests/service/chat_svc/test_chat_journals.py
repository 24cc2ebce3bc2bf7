"""Live logs in a Redis that is there: what it drops stands in it again, and many who follow take one connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from runtime import redis as runtime_redis
from services.chat_svc.answering import tails
from services.chat_svc.answering.journal import LIFE_SECONDS, Journal, Lull
from services.chat_svc.domain.entry import Began, Entry, Said

LOG: list[Entry] = [Began("first"), Said("Elem"), Said("ent"), Said("ary")]
ANSWERS = 40
SECONDS_MAX = 60
# What a reader would wait for whom nobody wakes, below what the client waits for a reply here.
LONG_SECONDS = 25


@pytest.fixture
async def writing(redis_url: str) -> AsyncIterator[Redis]:
    async with runtime_redis.connect(redis_url) as client:
        yield client


@pytest.fixture
async def reading(redis_url: str) -> AsyncIterator[Redis]:
    async with runtime_redis.connect(redis_url) as client:
        yield client


async def followed(journal: Journal, answer: UUID, seen: list[Entry | Lull]) -> None:
    """What is new in each batch, and lulls for which Redis is to blame."""
    async with aclosing(journal.follow(answer)) as batches:
        number = 0
        async for batch in batches:
            if isinstance(batch, Lull):
                seen += [batch] if batch is Lull.AWAY else []
                continue
            first, entries = batch
            seen += entries[number + 1 - first :]
            number = max(number, first + len(entries) - 1)


async def test_a_stream_that_redis_dropped_in_the_middle_stands_there_again_whole_and_for_a_while(
    writing: Redis, reading: Redis
) -> None:
    journal, answer, seen = Journal(writing, reading), uuid4(), list[Entry | Lull]()
    following = asyncio.create_task(followed(journal, answer, seen))
    kept = await journal.add(answer, LOG[:2], 0)
    async with asyncio.timeout(SECONDS_MAX):
        while len(seen) < kept:
            await asyncio.sleep(0.01)
        await writing.flushall()
        kept = await journal.add(answer, LOG[:3], kept)
        assert (kept, await journal.entries(answer)) == (3, LOG[:3])
        assert 0 < await writing.ttl(f"chat:log:{answer}") <= LIFE_SECONDS
        assert await journal.add(answer, LOG, kept) == len(LOG)
        await journal.end(answer)
        await following
    assert seen == LOG


async def test_many_who_follow_many_answers_take_one_connection_and_see_all(
    writing: Redis, reading: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = most = 0
    xread = reading.xread

    async def counted(*arguments: Any, **options: Any) -> Any:
        nonlocal blocked, most
        blocked += 1
        most = max(most, blocked)
        try:
            return await xread(*arguments, **options)
        finally:
            blocked -= 1

    monkeypatch.setattr(reading, "xread", counted)
    journal, answers = Journal(writing, reading), [uuid4() for _ in range(ANSWERS)]
    seen: list[list[Entry | Lull]] = [[] for _ in range(3 * ANSWERS)]
    async with asyncio.timeout(SECONDS_MAX), asyncio.TaskGroup() as tasks:
        for place, one in enumerate(seen):
            tasks.create_task(followed(journal, answers[place % ANSWERS], one))
        for count in range(1, len(LOG) + 1):
            for answer in answers:
                await journal.add(answer, LOG[:count], count - 1)
            while any(len(one) < count for one in seen):
                await asyncio.sleep(0.01)
        for answer in answers:
            await journal.end(answer)
    assert (seen, most) == ([LOG] * len(seen), 1)


async def test_whoever_joins_does_not_wait_for_the_read_that_is_under_way(
    writing: Redis, reading: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "BLOCK_MS", LONG_SECONDS * 1000)
    monkeypatch.setattr(tails, "BLOCK_SECONDS", LONG_SECONDS)
    journal, answers = Journal(writing, reading), [uuid4() for _ in range(2)]
    async with asyncio.timeout(LONG_SECONDS - 1), aclosing(journal.follow(answers[0])) as early:
        await journal.add(answers[0], LOG, 0)
        await anext(early)
        nothing = asyncio.create_task(anext(early))
        await journal.add(answers[1], LOG, 0)
        async with aclosing(journal.follow(answers[1])) as late:
            assert await anext(late) == (1, LOG)
        nothing.cancel()
        await asyncio.wait([nothing])
