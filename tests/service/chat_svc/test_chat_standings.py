import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from runtime import redis
from runtime.events.envelope import ENVELOPE, envelope, stream
from scenemesh.events.v1 import quota_pb2
from services.chat_svc.siblings import Quota, Standing
from services.chat_svc.standings import Standings
from tests.service.chat_svc.replica import WAIT_SECONDS


class Ledger(Quota):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def standing(self, user: str) -> Standing:
        self.asked.append(user)
        return Standing({"chat": len(self.asked)}, {"chat": ("chat", 1)}, 1_000)


@pytest.fixture
async def live(redis_url: str) -> AsyncIterator[Redis]:
    async with redis.connect(redis_url) as live:
        yield live


async def tell(live: Redis, topic: str, user: str) -> None:
    data = quota_pb2.QuotaUpdated(meter="chat")
    sealed = envelope(f"{topic}.updated", f"users/{user}", data, datetime.now(UTC), uuid4())
    await live.xadd(stream(topic), {ENVELOPE: sealed.SerializeToString()})


async def remembered(standings: Standings, user: str) -> None:
    """Returns once a person's standing is remembered."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await standings.standing(user) is not await standings.standing(user):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("topic", ["quota", "subscription"])
async def test_a_standing_is_remembered_until_it_changes(live: Redis, topic: str) -> None:
    ledger = Ledger()
    standings = Standings(ledger, live, partial(float, 0))
    hearing = asyncio.create_task(standings.run())
    await remembered(standings, "alice")
    await remembered(standings, "bob")
    bobs = await standings.standing("bob")
    before = await standings.standing("alice")
    await tell(live, topic, "alice")
    async with asyncio.timeout(WAIT_SECONDS):
        while await standings.standing("alice") is before:
            await asyncio.sleep(0.01)
    assert await standings.standing("bob") is bobs
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)


async def test_nothing_is_remembered_while_changes_are_not_heard() -> None:
    ledger = Ledger()
    async with redis.connect("unix:///nowhere") as nowhere:
        standings = Standings(ledger, nowhere, partial(float, 0))
        hearing = asyncio.create_task(standings.run())
        await standings.standing("alice")
        await standings.standing("alice")
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert ledger.asked == ["alice", "alice"]


async def test_a_standing_lives_so_long_at_most(live: Redis) -> None:
    ledger, now = Ledger(), [0.0]
    standings = Standings(ledger, live, lambda: now[0])
    hearing = asyncio.create_task(standings.run())
    await remembered(standings, "alice")
    asked = len(ledger.asked)
    now[0] = 301.0
    await standings.standing("alice")
    assert len(ledger.asked) == asked + 1
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
