"""The loops that run for as long as the process does, on stores that fail them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from services.billing_svc import applying, sweeping
from services.billing_svc.applying import USERS_MAX, Applying
from services.billing_svc.reconciling.hourly import Hourly
from services.billing_svc.sweeping import Sweeping

WAIT_SECONDS_MAX = 60.0
TURNS = 1000
UNUSED: Any = None


class FaultyStore:
    """Fails at the first look, has nothing at the later ones."""

    def __init__(self) -> None:
        self.looks = 0

    def _look(self) -> None:
        self.looks += 1
        if self.looks == 1:
            raise ValueError("the test wants it so")

    async def users(self, _now: datetime, _users_max: int) -> list[str]:
        self._look()
        return []

    async def due(self, _now: datetime, _users_max: int) -> list[str]:
        self._look()
        return []

    @asynccontextmanager
    async def alone(self, _work: str) -> AsyncIterator[None]:
        self._look()
        yield None


class HeldEffects:
    """A full batch is due, and another process has all of it. `asked` is for how many users this one tried."""

    def __init__(self) -> None:
        self.looks = 0
        self.asked = 0

    async def users(self, _now: datetime, users_max: int) -> list[str]:
        self.looks += 1
        return [f"user{number}" for number in range(users_max)]

    @asynccontextmanager
    async def line(self, _user: str) -> AsyncIterator[None]:
        self.asked += 1
        yield None


def now() -> datetime:
    return datetime(2026, 1, 31, 12, tzinfo=UTC)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[asyncio.Future[None]]:
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FaultyStore:
    monkeypatch.setattr(applying, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(sweeping, "SWEEP_SECONDS", 0.0)
    return FaultyStore()


@pytest.mark.parametrize("loop", ["applying", "sweeping", "hourly"])
async def test_a_defect_in_a_look_does_not_end_the_loop(store: FaultyStore, loop: str) -> None:
    anything: Any = store
    loops: dict[str, Applying | Sweeping | Hourly] = {
        "applying": Applying(anything, UNUSED, now),
        "sweeping": Sweeping(anything, UNUSED, now),
        "hourly": Hourly(UNUSED, anything, turn_seconds=0.0),
    }
    async with running(loops[loop].run()) as task, asyncio.timeout(WAIT_SECONDS_MAX):
        while store.looks < 3 and not task.done():
            await asyncio.sleep(0)
        assert not task.done()


async def test_a_full_batch_of_which_nobody_can_be_told_is_not_looked_at_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(applying, "POLL_SECONDS", 3600.0)
    effects = HeldEffects()
    anything: Any = effects
    telling = Applying(anything, UNUSED, now)
    async with running(telling.run()):
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert (effects.looks, effects.asked) == (1, USERS_MAX)
        telling.nudge()
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert (effects.looks, effects.asked) == (2, 2 * USERS_MAX)
