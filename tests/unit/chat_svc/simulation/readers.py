"""Readers: they see a round of answers, in as many calls as it takes, and come back where they left off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from runtime.errors import Aborted, AlreadyExists, NotFound, ResourceExhausted, Unavailable
from services.chat_svc.answering.watching import COMING_SECONDS_MAX
from services.chat_svc.domain.log import Delayed, Ended, Event
from services.chat_svc.domain.wish import Wish
from tests.unit.chat_svc.simulation.line import PATIENCE_SECONDS
from tests.unit.chat_svc.simulation.process import Address, Process

SLOW_SECONDS = 0.6
PAUSE_SECONDS = 0.7
REFUSALS = (Aborted, AlreadyExists, ResourceExhausted)

# An answer that was told and does not come is known not to come by then: two queries may be slow besides.
NOT_FOUND_SECONDS_MAX = COMING_SECONDS_MAX + 2 * PATIENCE_SECONDS + 1


@dataclass
class Replicas:
    """The processes that there are, some of which serve."""

    processes: list[Process] = field(default_factory=list)

    async def any(self, random: Random) -> Process:
        """One that serves, as soon as there is one."""
        while not (serving := [one for one in self.processes if one.serving]):
            await asyncio.sleep(PAUSE_SECONDS)
        return random.choice(serving)


@dataclass
class Sight:
    """What was seen of one answer, behind the event `number` at first. `broken` are the laws that this breaks."""

    answer: Address
    number: int = 0
    seen: list[Event] = field(default_factory=list)
    ended: Event | None = None
    broken: list[str] = field(default_factory=list)

    def note(self, event: Event) -> None:
        if self.ended is not None:
            self.broken.append(f"event {event.number} after the last one")
        if isinstance(event.what, Delayed):
            if event.number != self.number:
                self.broken.append(f"a delay numbered {event.number} after {self.number}")
            return
        if isinstance(event.what, Ended):
            self.ended = event
            if event.number > self.number + 1:
                self.broken.append(f"the last event is {event.number} after {self.number}")
            return
        if event.number != self.number + 1:
            self.broken.append(f"event {event.number} after {self.number}")
        self.number = event.number
        self.seen.append(event)

    @property
    def following(self) -> Address | None:
        """The answer that is to follow, as far as the end of this one told it."""
        if self.ended is None or not isinstance(self.ended.what, Ended) or self.ended.what.answer.next is None:
            return None
        return Address(self.answer.user, self.answer.conversation, self.ended.what.answer.next)


@dataclass
class Reader:
    """Somebody who reads a round. `missing` are answers that were told to follow and then were not found."""

    replicas: Replicas
    random: Random
    user: str
    conversation: UUID
    sights: list[Sight] = field(default_factory=list)
    missing: list[UUID] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to see."""
        last = self.sights[-1] if self.sights else None
        if last is None or last.ended is None:
            return False
        return last.following is None or last.following.id in self.missing

    async def sends(self, wish: Wish) -> None:
        """Sends and reads to the end, if nobody refuses; retries as the contract allows."""
        while not self.is_done:
            process = await self.replicas.any(self.random)
            try:
                if self.sights:
                    await self._goes_on(process)
                else:
                    await self._read_round(process.send(self.user, self.conversation, wish))
            except REFUSALS:
                return
            except Unavailable:
                if not self.sights and not wish.request_id:
                    return
            if not self.is_done and self.random.random() < 0.1:
                return
            await asyncio.sleep(PAUSE_SECONDS * self.random.random())

    async def watches(self, answer: Address, after: int) -> None:
        """Reads the round from an answer on, of which this much is known already; NOT_FOUND if there is no such."""
        self.sights.append(Sight(answer, after))
        while not self.is_done:
            process = await self.replicas.any(self.random)
            try:
                await self._goes_on(process)
            except Unavailable:
                await asyncio.sleep(PAUSE_SECONDS * self.random.random())

    async def _goes_on(self, process: Process) -> None:
        """Watches the answer that is not seen to its end yet, or the one that is to follow."""
        last = self.sights[-1]
        if last.following is None:
            await self._read(process.watch(last.answer, last.number), last)
            return
        began = asyncio.get_running_loop().time()
        try:
            await self._read(process.watch(last.following, 0), Sight(last.following))
        except NotFound:
            self.missing.append(last.following.id)
            took = asyncio.get_running_loop().time() - began
            if took > NOT_FOUND_SECONDS_MAX:
                self.broken.append(f"waited {took:.1f} s to learn that {last.following} does not come")

    async def _read_round(self, events: AsyncGenerator[Event, None]) -> None:
        """Until the end of the round, or until the reader goes away."""

        def note(event: Event) -> None:
            answer = Address(self.user, self.conversation, UUID(event.message.rpartition("/")[2]))
            last = self.sights[-1] if self.sights else None
            if last is None or last.answer != answer:
                if last is not None and last.following != answer:
                    self.broken.append(f"saw {answer} after {last}")
                self.sights.append(Sight(answer))
            self.sights[-1].note(event)

        if not await self._all_of(events, note):
            return
        following = self.sights[-1].following if self.sights else None
        if not self.sights or self.sights[-1].ended is None:
            self.broken.append("a stream ended without a last event")
        elif following is not None:
            # Whoever sends a message is told all of its round.
            self.missing.append(following.id)

    async def _read(self, events: AsyncGenerator[Event, None], sight: Sight) -> None:
        """Until the end of one answer, or until the reader goes away."""

        def note(event: Event) -> None:
            if sight is not self.sights[-1]:
                self.sights.append(sight)
            sight.note(event)

        if await self._all_of(events, note) and sight.ended is None:
            self.broken.append("a stream ended without a last event")

    async def _all_of(self, events: AsyncGenerator[Event, None], note: Callable[[Event], None]) -> bool:
        """Notes the events; whether the stream ended before the reader went away."""
        slow, leaves_after = self.random.random() < 0.2, self.random.randrange(1, 60)
        async with aclosing(events):
            async for event in events:
                note(event)
                if slow:
                    await asyncio.sleep(SLOW_SECONDS * self.random.random())
                leaves_after -= 1
                if not leaves_after:
                    return False
        return True
