"""What nobody foresaw in what replicas tell each other ends no process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from runtime.errors import Unavailable
from services.quota_svc import watching as module
from services.quota_svc.watching import Failed, Look, Watching

WAIT_SECONDS = 60.0


class Channel:
    """Speaking to it, and listening, fails as nobody foresaw; `said` and `heard` tell how often."""

    def __init__(self) -> None:
        self.said = asyncio.Semaphore(0)
        self.heard = asyncio.Semaphore(0)

    async def publish(self, _: str, __: str) -> None:
        self.said.release()
        raise RuntimeError("nobody foresaw this")

    @asynccontextmanager
    async def pubsub(self, **_: object) -> AsyncIterator["Channel"]:
        yield self

    async def subscribe(self, _: str) -> None:
        self.heard.release()
        raise RuntimeError("pubsub connection not set")


async def test_a_defect_in_speaking_or_listening_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    channel: Any = Channel()
    watching = Watching(channel, partial(datetime.now, UTC))
    running = asyncio.create_task(watching.run())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            for _ in range(3):
                watching.changed(["alice"])
                await channel.said.acquire()
                await channel.heard.acquire()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


class Deaf(Channel):
    """It can be subscribed to, and then listening fails as nobody foresaw."""

    async def subscribe(self, _: str) -> None:
        """There is one channel."""

    async def get_message(self, **_: object) -> None:
        self.heard.release()
        raise RuntimeError("nobody foresaw this")


async def test_who_watches_looks_by_itself_after_a_defect_in_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {"RETRY_SECONDS": 3600.0, "ALIVE_SECONDS": 3600.0, "LOOK_SECONDS": 0.0}.items():
        monkeypatch.setattr(module, name, seconds)
    channel: Any = Deaf()
    watching, looks = Watching(channel, partial(datetime.now, UTC)), 0

    async def look() -> Look[int]:
        nonlocal looks
        looks += 1
        if looks == 4:
            raise Unavailable("It was looked at often enough.", reason="ENOUGH")
        return Look(looks, datetime.now(UTC) + timedelta(days=1))

    running = asyncio.create_task(watching.run())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            await channel.heard.acquire()
            told = [one async for one in watching.follow("alice", look)]
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    assert told[:-1] == [1, 2, 3]
    assert isinstance(told[-1], Failed)
