"""People: they send, want other answers, retry at once, stop, go away, read slowly and come back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from runtime.errors import MeshError, NotFound
from services.chat_svc.domain.conversation import Message, State, answer_id
from services.chat_svc.domain.routing import Choice, Preference
from services.chat_svc.domain.wish import Wish
from tests.unit.chat_svc.simulation.process import Address
from tests.unit.chat_svc.simulation.readers import PAUSE_SECONDS, Reader, Replicas


@dataclass
class Stopped:
    """An answer as StopMessage gave it back, and how many answers its round had from there on at that moment.

    The round goes on where the answer had ended before.
    """

    answer: Message
    answers: int
    goes_on: bool


@dataclass
class Person:
    """One person in one conversation."""

    user: str
    conversation: UUID
    replicas: Replicas
    random: Random
    turns: int
    readers: list[Reader] = field(default_factory=list)
    stopped: list[Stopped] = field(default_factory=list)

    async def live(self) -> None:
        for turn in range(self.turns):
            await asyncio.sleep(PAUSE_SECONDS * self.random.random())
            request_id = f"r{turn}" if self.random.random() < 0.8 else ""
            wish = Wish(f"{self.user} says {turn}", request_id, self._choice())
            seen = await self._wishes(wish, turn)
            if seen and self.random.random() < 0.35:
                request_id = f"again{turn}" if self.random.random() < 0.8 else ""
                earlier = self.random.choice(seen).id
                await self._wishes(Wish("", request_id, self._choice(), again=earlier), turn)

    def _choice(self) -> Choice:
        return Choice(preference=self.random.choice((Preference.BALANCED, Preference.BEST, Preference.FAST)))

    def _answer(self, request_id: str) -> UUID:
        return answer_id(self.conversation, request_id, UUID(int=0))

    async def _wishes(self, wish: Wish, turn: int) -> list[Address]:
        """The answers that were seen in the end."""
        random = self.random
        senders = [self._reader()]
        if wish.request_id and random.random() < 0.3:
            senders.append(self._reader())
        async with asyncio.TaskGroup() as tasks:
            for sender in senders:
                tasks.create_task(sender.sends(wish))
            if wish.request_id and random.random() < 0.3:
                tasks.create_task(self._stops(self._answer(wish.request_id)))
            if wish.request_id and random.random() < 0.3:
                tasks.create_task(self._watches(self._answer(wish.request_id)))
            if random.random() < 0.2:
                other = Wish(f"{self.user} interrupts {turn}", "", Choice())
                tasks.create_task(self._reader().sends(other))
        return [sight.answer for sender in senders for sight in sender.sights]

    def _reader(self) -> Reader:
        reader = Reader(self.replicas, Random(self.random.getrandbits(64)), self.user, self.conversation)
        self.readers.append(reader)
        return reader

    async def _stops(self, answer: UUID) -> None:
        await asyncio.sleep(2 * PAUSE_SECONDS * self.random.random())
        process = await self.replicas.any(self.random)
        try:
            state, stopped = await process.stop(Address(self.user, self.conversation, answer))
        except MeshError:
            return
        answers = len(list(process.database.round(answer)))
        goes_on = state is not State.STREAMING and stopped.next is not None
        self.stopped.append(Stopped(stopped, answers, goes_on))

    async def _watches(self, answer: UUID) -> None:
        """Somebody on another device, who may have seen the beginning already."""
        await asyncio.sleep(PAUSE_SECONDS * self.random.random())
        reader = self._reader()
        after = self.random.choice((0, 0, 3))
        try:
            await reader.watches(Address(self.user, self.conversation, answer), after)
        except NotFound:
            self.readers.remove(reader)
