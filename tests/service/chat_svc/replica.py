"""One process of chat_svc, as far as the others can tell: it has its own owner id, memory, server and recovery."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any, cast
from uuid import uuid4

from redis.asyncio import Redis

from runtime import redis
from runtime.postgres import Pool, pool
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.closing import Closing
from services.chat_svc.domain.model import Model
from services.chat_svc.estimating import Estimating
from services.chat_svc.generations import Generations
from services.chat_svc.journal import Journal
from services.chat_svc.recovery import Recovery
from services.chat_svc.roster import Roster
from services.chat_svc.router import Router
from services.chat_svc.servicer import SERVICE, ChatServicer
from services.chat_svc.siblings import Characters, Quota
from services.chat_svc.speech import Speech
from services.chat_svc.stopping import Stopping
from services.chat_svc.store import MIGRATIONS, SCHEMA, Answers, Conversations
from services.chat_svc.turns import Turns
from services.chat_svc.watching import Watching
from tests.harness.serving import Dial, served

CHARACTER = "characters/sherlock-holmes"
IDLE_SECONDS = 10.0
WAIT_SECONDS = 15

Events = list[chat_pb2.ChatEvent]
Lapse = Callable[[], Awaitable[None]]


async def eventually(true: Callable[[], bool]) -> None:
    """Waits until something that happens elsewhere has happened."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not true():
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Surroundings:
    """What replicas share."""

    certificates: Path
    database: str
    redis_url: str
    quota: Dial
    search: Dial


@dataclass(frozen=True)
class Person:
    """Somebody who talks to one replica."""

    stub: "chat_pb2_grpc.ChatServiceAsyncStub"
    metadata: tuple[tuple[str, str], ...]

    async def conversation(self) -> str:
        """The name of a new conversation."""
        request = chat_pb2.CreateConversationRequest(conversation=chat_pb2.Conversation(character=CHARACTER))
        return (await self.stub.CreateConversation(request, metadata=self.metadata)).name

    def sending(
        self, parent: str, text: str = "Who are you?", request_id: str = ""
    ) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
        request = chat_pb2.SendMessageRequest(parent=parent, text=text, request_id=request_id)
        return _events(self.stub.SendMessage(request, metadata=self.metadata, timeout=30))

    async def turn(self, parent: str, text: str = "Who are you?", request_id: str = "") -> Events:
        return [event async for event in self.sending(parent, text, request_id)]

    def watching(self, message: str, after: int = 0) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
        request = chat_pb2.WatchMessageRequest(name=message, after=after)
        return _events(self.stub.WatchMessage(request, metadata=self.metadata, timeout=30))

    async def watched(self, message: str, after: int = 0) -> Events:
        return [event async for event in self.watching(message, after)]

    async def messages(self, parent: str) -> list[chat_pb2.Message]:
        request = chat_pb2.ListMessagesRequest(parent=parent)
        return list((await self.stub.ListMessages(request, metadata=self.metadata)).messages)


async def _events(call: Any) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
    """The events of a call, which ends when the reader does."""
    try:
        async for event in call:
            yield event
    finally:
        call.cancel()


class Replica:
    """A running process; `recovery` sweeps when a test says so."""

    def __init__(self, dial: Dial, generations: Generations, recovery: Recovery) -> None:
        self._dial = dial
        self.generations = generations
        self.recovery = recovery
        self.process: asyncio.Task[None] | None = None

    def person(self, user: str = "alice") -> Person:
        stub = chat_pb2_grpc.ChatServiceStub(self._dial("edge"))
        return Person(stub, (("x-user-id", user), ("x-user-role", "user")))

    async def kill(self) -> None:
        """Ends the process where it stands: nothing is finished, nothing is said."""
        assert self.process is not None
        self.process.cancel()
        await asyncio.wait([self.process])


@dataclass(frozen=True)
class Resources:
    """What a process has open; it outlives a killed one here, as the operating system would close it."""

    connections: Pool
    writing: Redis
    reading: Redis
    roster: Roster


@asynccontextmanager
async def replica(
    around: Surroundings, models: Sequence[Model], idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[Replica]:
    """A replica that runs while the block does, unless it is killed before."""
    started: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
    ending = asyncio.Event()
    async with (
        pool(around.database, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        redis.connect(around.redis_url) as writing,
        redis.connect(around.redis_url) as reading,
        Roster((_impatient(model, idle_seconds), "key") for model in models) as roster,
    ):
        resources = Resources(connections, writing, reading, roster)
        process = asyncio.create_task(_process(around, resources, started, ending))
        await asyncio.wait(cast("Any", [process, started]), return_when=asyncio.FIRST_COMPLETED)
        if process.done():
            process.result()
        running = started.result()
        running.process = process
        try:
            yield running
        finally:
            ending.set()
            await asyncio.wait([process])
        if not process.cancelled():
            process.result()


async def _process(
    around: Surroundings,
    resources: Resources,
    started: "asyncio.Future[Replica]",
    ending: asyncio.Event,
) -> None:
    clock = partial(datetime.now, UTC)
    conversations = Conversations(resources.connections)
    answers = Answers(resources.connections, owner=uuid4())
    quota, characters = Quota(around.quota("chat"), uuid4), Characters(around.search("chat"), monotonic)
    router = Router(resources.roster, monotonic)
    journal, speech = Journal(resources.writing, resources.reading), Speech(router, monotonic)
    closing = Closing(answers, quota, journal, clock)
    async with (
        Generations(answers, speech, journal, closing, quota, drain_seconds=0.2) as generations,
        asyncio.TaskGroup() as tasks,
    ):
        turns = Turns(conversations, answers, characters, quota, speech, generations, clock, uuid4)
        watching = Watching(answers, generations, journal)
        stopping = Stopping(answers, generations, resources.writing, resources.reading)
        estimating = Estimating(conversations, characters, quota, speech)
        servicer = ChatServicer(
            conversations, answers, characters, turns, watching, stopping, estimating, quota, router, clock, uuid4
        )
        register = partial(chat_pb2_grpc.add_ChatServiceServicer_to_server, servicer)
        listening = tasks.create_task(stopping.run())
        async with served(around.certificates, "chat", register, SERVICE) as dial:
            started.set_result(Replica(dial, generations, Recovery(answers, generations, journal, closing, clock)))
            await ending.wait()
        listening.cancel()


def _impatient(model: Model, idle_seconds: float) -> Model:
    return replace(model, limits=replace(model.limits, idle_seconds=idle_seconds))
