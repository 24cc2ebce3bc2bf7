"""What nobody foresaw in listening to other processes ends no process, and nobody is told what was true before it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from inspect import signature
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis.exceptions import ConnectionError as Away
from structlog.testing import capture_logs

from services.chat_svc import standings as standings_module
from services.chat_svc.answering import stopping as stopping_module
from services.chat_svc.answering.stopping import Stopping
from services.chat_svc.siblings import Quota, Standing
from services.chat_svc.standings import Standings

WAIT_SECONDS = 60.0
FAULTS = [RuntimeError("pubsub connection not set"), AttributeError("nobody foresaw this"), Away("away")]


@asynccontextmanager
async def running(worker: Stopping | Standings) -> AsyncIterator[None]:
    """The worker runs while the block does, and to its end."""
    task = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Channel:
    """Listening to it fails once, and then an answer is to stop."""

    def __init__(self, fault: Exception, answer: UUID) -> None:
        self._heard: list[Exception | dict[str, bytes]] = [fault, {"data": str(answer).encode()}]

    @asynccontextmanager
    async def pubsub(self) -> AsyncIterator["Channel"]:
        yield self

    async def subscribe(self, _: str) -> None:
        """There is one channel."""

    async def get_message(self, **_: object) -> dict[str, bytes]:
        if not self._heard:
            await asyncio.Event().wait()
        heard = self._heard.pop(0)
        if isinstance(heard, Exception):
            raise heard
        return heard


class Stopped:
    """Answers that are made here."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[UUID] = asyncio.Queue()

    def stop(self, answer: UUID) -> None:
        self.told.put_nowait(answer)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_stops_are_heard_again_after_any_fault(monkeypatch: pytest.MonkeyPatch, fault: Exception) -> None:
    monkeypatch.setattr(stopping_module, "PAUSE_SECONDS", 0.0)
    answer, stopped = uuid4(), Stopped()
    nobody: dict[str, Any] = dict.fromkeys(signature(Stopping).parameters)
    stopping = Stopping(**{**nobody, "generations": stopped, "waiting": Channel(fault, answer)})
    with capture_logs() as logs:
        async with running(stopping):
            assert await stopped.told.get() == answer
    levels = [one["log_level"] for one in logs]
    assert levels == ["warning" if isinstance(fault, Away) else "error"]


class Ledger(Quota):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def standing(self, user: str) -> Standing:
        self.asked += 1
        return Standing({"chat": self.asked}, {"chat": ("chat", 1)}, 1_000)


class Streams:
    """Streams in which nothing is told. Reading them fails once, when it is to."""

    def __init__(self, fault: Exception) -> None:
        self._fault: Exception | None = fault
        self.fails = asyncio.Event()
        self.failed = asyncio.Event()

    async def xrevrange(self, _: str, **__: object) -> list[Any]:
        return []

    async def xread(self, *_: object, **__: object) -> None:
        await self.fails.wait()
        if self._fault is None:
            await asyncio.Event().wait()
            return
        fault, self._fault = self._fault, None
        self.failed.set()
        raise fault


async def remembered(standings: Standings) -> Standing:
    """A person's standing, once it is remembered."""
    while (standing := await standings.standing("alice")) is not await standings.standing("alice"):
        await asyncio.sleep(0.01)
    return standing


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_standings_are_remembered_again_after_any_fault(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(standings_module, "PAUSE_SECONDS", 0.0)
    streams: Any = Streams(fault)
    standings = Standings(Ledger(), streams, lambda: 0.0)
    with capture_logs() as logs:
        async with running(standings):
            before = await remembered(standings)
            streams.fails.set()
            await streams.failed.wait()
            while await standings.standing("alice") is before:
                await asyncio.sleep(0.01)
            await remembered(standings)
    levels = [one["log_level"] for one in logs]
    assert levels == ["warning" if isinstance(fault, Away) else "error"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_nothing_is_remembered_in_the_pause_after_a_fault(
    monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(standings_module, "PAUSE_SECONDS", 2 * WAIT_SECONDS)
    streams: Any = Streams(fault)
    standings = Standings(Ledger(), streams, lambda: 0.0)
    async with running(standings):
        before = await remembered(standings)
        streams.fails.set()
        while await standings.standing("alice") is before:
            await asyncio.sleep(0.01)
        assert await standings.standing("alice") is not await standings.standing("alice")
