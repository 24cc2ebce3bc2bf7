import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from runtime import redis as runtime_redis
from services.search_svc.domain.comparing import QUERIES_MAX, Asked
from services.search_svc.domain.entries import Kind
from services.search_svc.versions.recent import KEY, Recent
from tests.service.search_svc.versions.workshop import eventually, running

ALL: frozenset[Kind] = frozenset()
FILMS = frozenset({Kind.FILM, Kind.ANIME})


@pytest.fixture
async def nowhere() -> AsyncIterator[Redis]:
    async with runtime_redis.connect("unix:///nowhere") as redis:
        yield redis


async def test_queries_of_all_replicas_are_kept_newest_first(redis: Redis) -> None:
    one, other = Recent(redis), Recent(redis)
    one.record("n", ALL)
    one.record("ne", FILMS)
    await one.flush()
    other.record("ne", FILMS)
    other.record("neo", ALL)
    expected = [Asked("neo"), Asked("ne", FILMS), Asked("ne", FILMS), Asked("n")]
    assert await other.latest() == await one.latest() == expected


async def test_only_the_last_thousand_are_kept(redis: Redis) -> None:
    recent = Recent(redis)
    for number in range(QUERIES_MAX + 500):
        recent.record(f"query {number}", ALL)
        if number == 700:
            await recent.flush()
    latest = await recent.latest()
    assert [latest[0], latest[-1], len(latest)] == [Asked("query 1499"), Asked("query 500"), QUERIES_MAX]
    assert await redis.llen(KEY) == QUERIES_MAX


async def test_they_are_told_in_the_background(redis: Redis) -> None:
    recent = Recent(redis, flush_seconds=0.01)
    async with running(recent.run):
        recent.record("neo", ALL)

        async def told() -> bool:
            return bool(await redis.llen(KEY) == 1)

        await eventually(told)


async def test_while_redis_is_away_a_replica_has_its_own(nowhere: Redis, redis: Redis) -> None:
    recent = Recent(nowhere)
    recent.record("n", ALL)
    recent.record("ne", ALL)
    await recent.flush()
    recent.record("neo", FILMS)
    assert await recent.latest() == [Asked("neo", FILMS), Asked("ne"), Asked("n")]
    recent._redis = redis
    await recent.flush()
    assert await Recent(redis).latest() == [Asked("neo", FILMS), Asked("ne"), Asked("n")]


async def test_what_cannot_be_read_is_passed_over(redis: Redis) -> None:
    recent = Recent(redis)
    recent.record("neo", ALL)
    await recent.flush()
    await redis.lpush(KEY, "nonsense", "{}", '{"query": "x", "kinds": ["song"]}', "[]")
    assert await recent.latest() == [Asked("neo")]


async def test_recording_during_a_flush_loses_nothing(redis: Redis) -> None:
    recent = Recent(redis)
    recent.record("n", ALL)
    flush = asyncio.create_task(recent.flush())
    await asyncio.sleep(0)
    recent.record("ne", ALL)
    await flush
    assert await recent.latest() == [Asked("ne"), Asked("n")]
