"""Models that speak when a test says so, and answers of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.speech import Speaking, Speech
from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.entry import Entry
from services.chat_svc.domain.health import Speed
from services.chat_svc.domain.hedging import Hedges, Hedging
from services.chat_svc.domain.model import Model, classes
from services.chat_svc.domain.prompt import Persona, Prompt, Scene
from services.chat_svc.domain.routing import Wanted
from services.chat_svc.models.roster import Roster
from services.chat_svc.models.router import Router
from tests.unit.chat_svc.models import Clock

WAIT_SECONDS = 60


@dataclass
class Scripted:
    """A provider that says what comes through `told`; it knows how often it was asked and how often it was closed."""

    model: Model
    told: asyncio.Queue[str | Completed | Exception] = field(default_factory=asyncio.Queue)
    asked: int = 0
    closed: int = 0

    def says(self, *words: str | Completed | Exception) -> None:
        for word in words:
            self.told.put_nowait(word)

    async def answer(
        self, prompt: Prompt, prefix: str = "", pause: Pause = at_once
    ) -> AsyncGenerator[str | Completed, None]:
        self.asked += 1
        try:
            while True:
                word = await self.told.get()
                if isinstance(word, Exception):
                    raise word
                yield word
        finally:
            self.closed += 1

    async def close(self) -> None:
        pass


class Stage:
    """Models, and answers that they give."""

    def __init__(self, models: Sequence[Model], rule: Hedging | None) -> None:
        self.providers = {one.id: Scripted(one) for one in models}
        self.roster = Roster([(one, "") for one in models], lambda one, _: self.providers[one.id])
        self.clock = Clock()
        self.router = Router(self.roster, self.clock)
        self.hedges = Hedges(rule)
        self.speech = Speech(self.router, self.clock, self.hedges)

    def speaking(self, asked: str | None = None, *, explain: bool = False, said: Sequence[Entry] = ()) -> Speaking:
        wanted = Wanted(classes(premium=True), 10, asked=asked, last="slow")
        holmes = Persona("Holmes", "Sherlock", "")
        return self.speech.answer(Draft(Scene(holmes, (holmes,), (), "Well?"), 4_000, wanted, 1_000, explain, said))

    async def warm(self) -> Stage:
        """The stage, once every model has answered, and at once."""
        for name in self.providers:
            async with self.router.asked(name) as asked:
                asked.answered(Speed(0.0, 100.0))
        return self

    async def until(self, name: str, asked: int = 1) -> Scripted:
        """The provider, once it has been asked so often."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.providers[name].asked < asked:
                await asyncio.sleep(0.001)
        return self.providers[name]
