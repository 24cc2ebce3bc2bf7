"""What lies between a process and what it calls: time, and faults on the way there and on the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

Value = TypeVar("Value")
Fault = Callable[[], Exception]

# Slow for a network: the longer something is under way, the more happens meanwhile.
FAST_SECONDS = 0.03
# Where a thing is away in silence and the caller set no limit of its own.
PATIENCE_SECONDS = 5.0


@dataclass
class Weather:
    """How one server does: whether it is away, and what share of calls is lost, answered in vain, or slow."""

    away: bool = False
    lost: float = 0.0
    unanswered: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.0

    def clear(self) -> None:
        """No call fails any more, unless the server is away."""
        self.lost = self.unanswered = self.slow = 0.0


class Line:
    """One process's way to one server. `fault` makes the error of a call that fails; one that is `cut` is dead.

    What was sent arrives or does not, whatever becomes of its sender.
    """

    def __init__(self, random: Random, weather: Weather, fault: Fault) -> None:
        self.cut = False
        self.away = False
        self.weather = weather
        self._random = random
        self.fault = fault

    @property
    def is_down(self) -> bool:
        return self.away or self.weather.away

    async def call(self, work: Callable[[], Value], patience_seconds: float = PATIENCE_SECONDS) -> Value:
        """The answer of the server, where `work` is done at one moment."""
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[Value] = loop.create_future()
        if self.cut:
            return await reply
        draw = self._random.random
        there = FAST_SECONDS * draw()
        fate, weather = draw(), self.weather
        if fate < weather.slow:
            there += weather.slow_seconds * draw()
        if there > patience_seconds:
            loop.call_later(patience_seconds, self._tell, reply, self.fault())
        if self.is_down or draw() < weather.lost:
            loop.call_later(there, self._tell, reply, self.fault())
        else:
            back = FAST_SECONDS * draw() if draw() < 0.5 else 0.0
            answered = draw() >= weather.unanswered
            loop.call_later(there, self._arrived, work, reply, back, answered)
        return await reply

    def _arrived(
        self,
        work: Callable[[], Value],
        reply: asyncio.Future[Value],
        back: float,
        answered: bool,
    ) -> None:
        if (self.cut or reply.cancelled()) and self._random.random() < 0.5:
            return
        try:
            value = work()
        except Exception as error:
            self._tell(reply, error)
            return
        if not answered:
            self._tell(reply, self.fault())
        elif back:
            asyncio.get_running_loop().call_later(back, self._answer, reply, value)
        else:
            self._answer(reply, value)

    def _answer(self, reply: asyncio.Future[Value], value: Value) -> None:
        if not self.cut and not reply.done():
            reply.set_result(value)

    def _tell(self, reply: asyncio.Future[Value], error: Exception) -> None:
        if not self.cut and not reply.done():
            reply.set_exception(error)
