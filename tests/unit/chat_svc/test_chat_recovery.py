"""When what others left is taken, and when it is not."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from runtime.errors import Unavailable
from services.chat_svc.answering.recovery import AGE_MAX, CALM_SECONDS, SWEEP_SECONDS, Recovery
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.model import Prices
from services.chat_svc.store.answers import LATE_SECONDS
from tests.unit.chat_svc.messages import ANSWER

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


class Left:
    """An answer whose process took it with a word, and died. Redis is away, or its end cannot be kept for a `fault`."""

    running: Collection[UUID] = ()

    def __init__(self, *, away: bool = False, fault: Exception | None = None) -> None:
        self.prices = {"first": Prices(output=Decimal(1_000_000))}
        self.closed: list[Message] = []
        self._away = away
        self._fault = fault

    async def take_lapsed(self, running: Collection[UUID]) -> list[Message]:
        return [replace(ANSWER, log=(Began("first"), Said("Elem")))]

    async def entries(self, answer: UUID) -> list[Entry]:
        if self._away:
            raise Unavailable("Down.", reason="JOURNAL_UNAVAILABLE")
        return [Began("first"), Said("Elementary.")]

    async def close(self, answer: Message) -> None:
        if self._fault is not None:
            raise self._fault
        self.closed.append(answer)

    async def under_way(self, answer: Message) -> None:
        """It is nobody's round."""

    async def take_late(self) -> list[Message]:
        return []


async def ended_after(left: Left, age: timedelta) -> list[Message]:
    """What has ended where one looks when the answer is so old."""
    part: Any = left
    await Recovery(part, part, part, part, part, part, lambda: ANSWER.created_at + age).sweep()
    return left.closed


async def test_what_a_dead_process_said_is_kept_with_what_it_cost_us() -> None:
    (answer,) = await ended_after(Left(), timedelta())
    assert (answer.text, answer.state, answer.failure) == ("Elementary.", State.FAILED, FailureReason.INTERRUPTED)
    assert answer.spent.cost > 0


async def test_an_answer_waits_for_its_journal_while_it_could_go_on_and_ends_with_what_was_left_then() -> None:
    assert await ended_after(Left(away=True), AGE_MAX - timedelta(seconds=1)) == []
    (answer,) = await ended_after(Left(away=True), AGE_MAX)
    assert (answer.text, answer.state, answer.failure) == ("Elem", State.FAILED, FailureReason.INTERRUPTED)


async def test_who_could_not_keep_an_end_knows_that_the_database_was_away() -> None:
    with pytest.raises(Unavailable):
        await ended_after(Left(fault=Unavailable("Down.", reason="DATABASE_UNAVAILABLE")), timedelta())
