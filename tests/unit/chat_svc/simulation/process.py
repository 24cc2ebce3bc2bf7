"""One process of chat_svc, as it is wired: it serves, dies in the middle of something, or drains."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar, cast
from uuid import UUID

import grpc
from opentelemetry.metrics import NoOpMeter
from redis.asyncio import Redis

from runtime.errors import Unavailable
from services.chat_svc.announcing import Announcing
from services.chat_svc.answering.closing import Closing
from services.chat_svc.answering.going_on import GoingOn
from services.chat_svc.answering.handing_over import Offering
from services.chat_svc.answering.journal import Journal
from services.chat_svc.answering.recovery import Recovery
from services.chat_svc.answering.speech import Speech
from services.chat_svc.answering.stopping import Stopping
from services.chat_svc.answering.watching import Watching
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.hedging import Hedges, Hedging
from services.chat_svc.domain.log import Event
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.domain.wish import Wish
from services.chat_svc.media.showing import Showing
from services.chat_svc.models.roster import Roster
from services.chat_svc.models.router import Router
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.siblings import Quota
from services.chat_svc.store.media import KeptMedia
from services.chat_svc.turning.casting import Casting
from services.chat_svc.turning.opening import Opening
from services.chat_svc.turning.places import Places
from services.chat_svc.turning.rounds import Rounds
from services.chat_svc.turning.turns import Turns
from tests.unit.chat_svc.simulation.call import Call
from tests.unit.chat_svc.simulation.line import Line, Weather
from tests.unit.chat_svc.simulation.provider import Stage
from tests.unit.chat_svc.simulation.quota import Ledger, QuotaChannel, sibling_away
from tests.unit.chat_svc.simulation.stops import Heard, StoppedGenerations
from tests.unit.chat_svc.simulation.store import Database, database_away
from tests.unit.chat_svc.simulation.streams import Client, Streams, redis_away
from tests.unit.chat_svc.simulation.views import (
    SeenAnswers,
    SeenConversations,
    SeenMessages,
    SeenRounds,
    SeenTranscripts,
    Way,
)
from tests.unit.chat_svc.simulation.world import Group, World

# How long one that ends waits for those who watch, and then for answers that nobody watches.
GRACE_SECONDS = 0.3
DRAIN_SECONDS = 0.5

Value = TypeVar("Value")


@dataclass
class Surroundings:
    """What processes share, the stops that they heard of, and when those died that did."""

    world: World
    stage: Stage
    models: tuple[Model, ...]
    hedging: Hedging | None
    database: Database = field(default_factory=Database)
    ledger: Ledger = field(default_factory=Ledger)
    streams: Streams = field(default_factory=Streams)
    heard: list[Heard] = field(default_factory=list)
    died: dict[UUID, float] = field(default_factory=dict)
    weather: dict[str, Weather] = field(
        default_factory=lambda: {server: Weather() for server in ("database", "quota", "search", "redis")}
    )


@dataclass(frozen=True)
class Address:
    """How a person names an answer."""

    user: str
    conversation: UUID
    id: UUID


class Catalogue:
    """Everybody is there, as far as search_svc can be reached."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def personas(self, user: str, characters: Sequence[str], portraits_seconds: float) -> tuple[Persona, ...]:
        def found() -> tuple[Persona, ...]:
            return tuple(Persona(name_of(one), "Sherlock", "Somebody in London.", one) for one in characters)

        return await self._line.call(found)

    async def display_names(self, user: str, characters: Sequence[str]) -> tuple[str, ...]:
        return await self._line.call(lambda: tuple(name_of(one) for one in characters))


def name_of(character: str) -> str:
    return character.rpartition("/")[2].title()


class Process:
    """Runs from `start` on, until it is killed or drained."""

    def __init__(self, around: Surroundings, random: Random) -> None:
        self.owner = UUID(int=random.getrandbits(128), version=4)
        self.serving = False
        self.database = around.database
        self._around = around
        self._world = around.world
        self._group = Group()
        self._calls: list[Call] = []
        self._ending = asyncio.Event()
        away = {"database": database_away, "quota": sibling_away, "search": sibling_away, "redis": redis_away}
        self.lines = {
            name: Line(Random(random.getrandbits(64)), around.weather[name], fault) for name, fault in away.items()
        }
        self._ids = Random(random.getrandbits(64))
        way = Way(around.database, self.lines["database"], self.owner)
        answers, conversations, messages, kept_rounds = (
            SeenAnswers(way),
            SeenConversations(way),
            SeenMessages(way),
            SeenRounds(way),
        )
        channel = cast("grpc.aio.Channel", QuotaChannel(around.ledger, self.lines["quota"]))
        quota = Quota(channel, self._new_id)
        redis = cast("Redis", Client(around.streams, self.lines["redis"]))
        clock, seconds = around.world.clock, around.world.time
        roster = Roster(((model, "") for model in around.models), around.stage.open)
        router, journal = Router(roster, seconds, NoOpMeter("simulation")), Journal(redis, redis)
        speech = Speech(router, seconds, Hedges(around.hedging))
        closing = Closing(answers, quota, journal, Announcing(self._new_id), clock, _left_alone)
        characters, showing = cast("Characters", Catalogue(self.lines["search"])), Showing(cast("KeptMedia", None))
        scenes = Scenes(SeenTranscripts(way), characters, showing)
        self.answers = answers
        offering = Offering(answers, redis)
        self.generations = StoppedGenerations(
            self.owner, around.heard, answers, speech, journal, closing, quota, DRAIN_SECONDS, offering
        )
        self.stopping = Stopping(answers, kept_rounds, self.generations, redis, redis)
        self.watching = Watching(answers, kept_rounds, self.generations, journal)
        opening = Opening(answers, quota, speech, clock)
        self.rounds = Rounds(opening, self.generations, scenes, conversations, answers, kept_rounds, self._new_id)
        self.recovery = Recovery(answers, kept_rounds, self.rounds, self.generations, journal, closing, clock)
        self.going_on = GoingOn(
            answers, conversations, messages, scenes, showing, speech, self.generations, offering, self.rounds, redis
        )
        places = Places(messages, kept_rounds, Casting(kept_rounds, characters))
        self.turns = Turns(conversations, answers, places, scenes, showing, self.rounds, clock, self._new_id)

    def start(self) -> None:
        self._main = self._world.spawn(self._group, self._run())
        self.serving = True

    async def kill(self) -> None:
        """Ends it where it stands: nothing is finished, nothing is said."""
        self.serving = False
        self._around.died[self.owner] = self._world.time()
        for line in self.lines.values():
            line.cut = True
        for call in self._calls:
            call.fail(Unavailable("Gone.", reason="CONNECTION_LOST"))
        await self._group.kill()

    async def drain(self) -> None:
        """Ends it in good order, as far as it gets."""
        self.serving = False
        self._ending.set()
        await asyncio.wait([self._main])
        if not self._main.cancelled():
            self._main.result()

    def send(self, user: str, conversation: UUID, wish: Wish) -> AsyncGenerator[Event, None]:
        """SendMessage, or RegenerateMessage."""

        async def events() -> AsyncGenerator[Event, None]:
            begun = await self.turns.begin(user, conversation, wish)
            async with aclosing(self.watching.round(begun)) as events:
                async for event in events:
                    yield event

        return self._called(events)

    def watch(self, answer: Address, after: int) -> AsyncGenerator[Event, None]:
        """WatchMessage."""

        async def events() -> AsyncGenerator[Event, None]:
            begun = await self.watching.begun(answer.user, answer.conversation, answer.id)
            async with aclosing(self.watching.events(begun, after)) as events:
                async for event in events:
                    yield event

        return self._called(events)

    async def stop(self, answer: Address) -> tuple[State, Message]:
        """StopMessage, and how far the answer was before."""

        async def stopped() -> AsyncGenerator[tuple[State, Message], None]:
            begun = await self.answers.get(answer.user, answer.conversation, answer.id)
            yield begun.answer.state, await self.stopping.stop(begun.answer)

        async with aclosing(self._called(stopped)) as replies:
            return await anext(replies)

    async def _run(self) -> None:
        async with self.generations, self.rounds, asyncio.TaskGroup() as tasks:
            workers = (self.recovery.run, self.stopping.run, self.going_on.run)
            background = [tasks.create_task(work()) for work in workers]
            await self._ending.wait()
            if self._calls:
                await asyncio.wait([call.task for call in self._calls], timeout=GRACE_SECONDS)
            for call in self._calls:
                call.task.cancel()
                call.fail(Unavailable("Drained.", reason="CONNECTION_LOST"))
            for task in background:
                task.cancel()

    async def _called(self, handler: Callable[[], AsyncGenerator[Value, None]]) -> AsyncGenerator[Value, None]:
        """What a handler of this process says to somebody outside; it is cancelled when they go."""
        if not self.serving:
            raise Unavailable("Nobody there.", reason="CONNECTION_LOST")
        call = Call()
        call.task = self._world.spawn(self._group, call.serve(handler))
        self._calls.append(call)
        try:
            while (reply := await call.taken()) is not None:
                yield cast("Value", reply)
        finally:
            call.task.cancel()
            self._calls.remove(call)

    def _new_id(self) -> UUID:
        return UUID(int=self._ids.getrandbits(128), version=4)


def _left_alone(answer: Message) -> None:
    """Nothing is made beside the answers."""
