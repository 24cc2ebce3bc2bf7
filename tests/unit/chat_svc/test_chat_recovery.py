"""When what others left is taken, and when it is not."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from services.chat_svc.answering.recovery import CALM_SECONDS, SWEEP_SECONDS, Recovery
from services.chat_svc.domain.conversation import Message
from services.chat_svc.store.answers import LATE_SECONDS

# The process stands still before this one, and the last comes when the others have had the time to speak.
LATE_SWEEP, LAST_SWEEP = 2, 2 + int(CALM_SECONDS / SWEEP_SECONDS)


class Nothing:
    """A database in which nothing is left: what it was asked."""

    running: Collection[UUID] = ()

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def reach(self) -> None:
        self.asked.append("reached")

    async def take_lapsed(self, running: Collection[UUID]) -> list[Message]:
        self.asked.append("taken")
        return []

    async def take_late(self) -> list[Message]:
        return []


class Clock:
    """A loop's, as far as anybody asks for the time; it goes on while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sweeps = 0

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if self.sweeps == LAST_SWEEP:
            raise asyncio.CancelledError
        self.sweeps += 1
        self.now += seconds + (2 * LATE_SECONDS if self.sweeps == LATE_SWEEP else 0)


async def test_a_process_that_stood_still_lets_the_others_speak_first(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing, clock = Nothing(), Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    part: Any = nothing
    with suppress(asyncio.CancelledError):
        await Recovery(part, part, part, part, part, part, partial(datetime.now, UTC)).run()
    assert nothing.asked == ["taken", "reached", "taken"]
