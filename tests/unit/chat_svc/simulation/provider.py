"""Models that speak seeded scripts: words, pauses, and every way of failing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random

from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.fault import (
    ContextTooLong,
    Cut,
    Malformed,
    ModelFault,
    NotLetIn,
    Overloaded,
    PrefillRejected,
    RateLimited,
    Refused,
    Rejected,
    ServerFailed,
    Unreachable,
)
from services.chat_svc.domain.log import spoken
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.outcome import FinishReason, Usage
from services.chat_svc.domain.prompt import Prompt
from services.chat_svc.providers import Provider
from tests.unit.chat_svc.simulation.stops import JOB, Job

FAULTS = (
    RateLimited,
    Overloaded,
    ServerFailed,
    Unreachable,
    NotLetIn,
    ContextTooLong,
    Refused,
    Rejected,
    Malformed,
    Cut,
)
WORDS = ("Elementary, ", "my dear ", "Watson. ", "The game ", "is ", "afoot: ", "é" * 9, "a\0b ", "\n", "…")
WORDS_MAX = 14
# What people say.
TEXT = re.compile(r"person\d+ (?:says|interrupts) \d+")
# Before a word, at most; a stream is as fast as one of these.
PAUSES_SECONDS = (0.05, 0.2, 0.9)


@dataclass
class Part:
    """What one model did for one question, in one job: what it said, and how it told that it was done, if it was.

    Its stream was open until `closed`.
    """

    model: str
    prefix: str
    job: Job
    opened: float
    closed: float | None = None
    said: list[str] = field(default_factory=list)
    told: Completed | None = None

    @property
    def text(self) -> str:
        """What it said, as far as that can be kept."""
        return spoken("".join(self.said))


@dataclass
class Stage:
    """Where models speak: how likely each fails, and what each has done, by the person's text."""

    seed: str
    fails: float
    stalls: float
    parts: dict[str, list[Part]] = field(default_factory=dict)

    def open(self, model: Model, _: str) -> Provider:
        return Speaker(self, model)


class Speaker:
    """One model of one process."""

    def __init__(self, stage: Stage, model: Model) -> None:
        self.model = model
        self._stage = stage

    async def answer(
        self, prompt: Prompt, prefix: str = "", pause: Pause = at_once
    ) -> AsyncGenerator[str | Completed, None]:
        text, stage, loop = asked(prompt), self._stage, asyncio.get_running_loop()
        parts = stage.parts.setdefault(text, [])
        random = Random(f"{stage.seed} {text} {self.model.id} {len(parts)}")
        part = Part(self.model.id, prefix, JOB.get(), loop.time())
        parts.append(part)
        try:
            async with aclosing(self._words(part, random)) as words:
                async for word in words:
                    yield word
        finally:
            part.closed = loop.time()

    async def _words(self, part: Part, random: Random) -> AsyncGenerator[str | Completed, None]:
        stage = self._stage
        pause_seconds = random.choice(PAUSES_SECONDS)
        fails_at = random.randrange(WORDS_MAX) if random.random() < stage.fails else WORDS_MAX
        for place in range(random.randrange(WORDS_MAX)):
            if place == fails_at:
                await self._fail(random, part.prefix)
            if random.random() < 0.7:
                await asyncio.sleep(pause_seconds * random.random())
            word = random.choice(WORDS)
            part.said.append(word)
            yield word
        if fails_at < WORDS_MAX:
            await self._fail(random, part.prefix)
        usage = Usage(random.randrange(1, 200), random.randrange(1, 60)) if random.random() < 0.7 else None
        part.told = Completed(FinishReason.LENGTH if random.random() < 0.1 else FinishReason.STOP, usage)
        yield part.told

    async def _fail(self, random: Random, prefix: str) -> None:
        if random.random() < self._stage.stalls:
            await asyncio.sleep(3_600)
        raise _fault(random, prefix)

    async def close(self) -> None:
        """Nothing is open."""


def asked(prompt: Prompt) -> str:
    """What the person said last: in a round, others may have spoken since."""
    return [found.group() for turn in prompt.turns for found in TEXT.finditer(turn.text)][-1]


def _fault(random: Random, prefix: str) -> ModelFault:
    if prefix and random.random() < 0.3:
        return PrefillRejected("seeded")
    kind = random.choice(FAULTS)
    return kind("seeded", retry_after_seconds=random.choice((None, 0.5, 30.0)) if kind is RateLimited else None)
