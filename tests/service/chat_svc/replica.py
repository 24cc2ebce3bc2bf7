"""One process of chat_svc, as far as the others can tell: it has its own owner id, memory, server and recovery."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import grpc
from redis.asyncio import Redis

from runtime import redis
from runtime.postgres import Pool, pool, reserved
from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.domain.audio import Task
from services.chat_svc.domain.hedging import Hedges, Hedging
from services.chat_svc.domain.model import Model
from services.chat_svc.models.audio_roster import nobody
from services.chat_svc.models.roster import Roster
from services.chat_svc.parts import Parts, Resources, assembled
from services.chat_svc.providers.audio import Audio
from services.chat_svc.scenes.portraits.portraits import Source
from services.chat_svc.servicer import SERVICES, register
from services.chat_svc.store import MIGRATIONS, SCHEMA
from tests.harness.serving import Dial, served

CHARACTER = "characters/sherlock-holmes"
WAIT_SECONDS = 120
# A call that is to come to its end, and a model that is to stay silent until the test goes on, on however busy a
# machine.
CALL_SECONDS = 120
IDLE_SECONDS = 60.0

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

    def connect(self, sibling: str) -> grpc.aio.Channel:
        """A channel to a sibling."""
        return {"quota": self.quota, "search": self.search}[sibling]("chat")


@dataclass(frozen=True)
class Person:
    """Somebody who talks to one replica."""

    stub: "chat_pb2_grpc.ChatServiceAsyncStub"
    metadata: tuple[tuple[str, str], ...]

    async def conversation(self, display_name: str = "") -> str:
        """The name of a new conversation; one without a title gets one from a model."""
        wanted = chat_pb2.Conversation(character=CHARACTER, display_name=display_name)
        request = chat_pb2.CreateConversationRequest(conversation=wanted)
        return (await self.stub.CreateConversation(request, metadata=self.metadata)).name

    def sending(
        self, parent: str, text: str = "Who are you?", request_id: str = ""
    ) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
        request = chat_pb2.SendMessageRequest(parent=parent, text=text, request_id=request_id)
        return events_of(self.stub.SendMessage(request, metadata=self.metadata, timeout=CALL_SECONDS))

    async def turn(self, parent: str, text: str = "Who are you?", request_id: str = "") -> Events:
        return [event async for event in self.sending(parent, text, request_id)]

    def watching(self, message: str, after: int = 0) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
        request = chat_pb2.WatchMessageRequest(name=message, after=after)
        return events_of(self.stub.WatchMessage(request, metadata=self.metadata, timeout=CALL_SECONDS))

    async def watched(self, message: str, after: int = 0) -> Events:
        return [event async for event in self.watching(message, after)]

    async def messages(self, parent: str) -> list[chat_pb2.Message]:
        request = chat_pb2.ListMessagesRequest(parent=parent)
        return list((await self.stub.ListMessages(request, metadata=self.metadata)).messages)


async def events_of(call: Any) -> AsyncGenerator[chat_pb2.ChatEvent, None]:
    """The events of a call, which ends when the reader does."""
    async with reading(call) as heard:
        async for event in heard:
            yield event


class Replica:
    """A running process; its recovery sweeps when a test says so."""

    def __init__(self, dial: Dial, parts: Parts) -> None:
        self.dial = dial
        self.parts = parts
        self.generations = parts.generations
        self.recovery = parts.recovery
        self.process: asyncio.Task[None] | None = None
        self.ending = asyncio.Event()

    def person(self, user: str = "alice") -> Person:
        stub = chat_pb2_grpc.ChatServiceStub(self.dial("edge"))
        return Person(stub, (("x-user-id", user), ("x-user-role", "user")))

    async def end(self) -> None:
        """Ends the process as a signal does."""
        assert self.process is not None
        self.ending.set()
        await asyncio.wait([self.process])

    async def kill(self) -> None:
        """Ends the process where it stands: nothing is finished, nothing is said."""
        assert self.process is not None
        self.process.cancel()
        await asyncio.wait([self.process])


@dataclass(frozen=True)
class Opened:
    """What a process has open; it outlives a killed one here, as the operating system would close it."""

    connections: Pool
    reserved: Pool
    writing: Redis
    reading: Redis
    roster: Roster
    able: Callable[[Task], Sequence[Audio]]
    hedges: Hedges
    sources: Sequence[Source]


@asynccontextmanager
async def replica(
    around: Surroundings,
    models: Sequence[Model],
    idle_seconds: float = IDLE_SECONDS,
    able: Callable[[Task], Sequence[Audio]] = nobody,
    hedging: Hedging | None = None,
    sources: Sequence[Source] = (),
) -> AsyncIterator[Replica]:
    """A replica that runs while the block does, unless it is killed before."""
    started: asyncio.Future[Replica] = asyncio.get_running_loop().create_future()
    async with (
        pool(around.database, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        reserved(around.database, schema=SCHEMA) as renewing,
        redis.connect(around.redis_url) as writing,
        redis.connect(around.redis_url) as reading,
        Roster((_impatient(model, idle_seconds), "key") for model in models) as roster,
    ):
        opened = Opened(connections, renewing, writing, reading, roster, able, Hedges(hedging), sources)
        process = asyncio.create_task(_process(around, opened, started))
        await asyncio.wait(cast("Any", [process, started]), return_when=asyncio.FIRST_COMPLETED)
        if process.done():
            process.result()
        running = started.result()
        running.process = process
        try:
            yield running
        finally:
            running.ending.set()
            await asyncio.wait([process])
        if not process.cancelled():
            process.result()


async def _process(
    around: Surroundings,
    opened: Opened,
    started: "asyncio.Future[Replica]",
) -> None:
    resources = Resources(
        opened.connections,
        opened.reserved,
        opened.writing,
        opened.reading,
        around.connect,
        opened.roster,
        opened.hedges,
        partial(datetime.now, UTC),
        drain_seconds=0.2,
        sources=opened.sources,
        able=opened.able,
    )
    async with assembled(resources) as parts, asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(work()) for work in (parts.stopping.run, parts.going_on.run)]
        async with served(around.certificates, "chat", partial(register, parts), *SERVICES) as dial:
            replica = Replica(dial, parts)
            started.set_result(replica)
            await replica.ending.wait()
        for task in listening:
            task.cancel()


def _impatient(model: Model, idle_seconds: float) -> Model:
    return replace(model, limits=replace(model.limits, idle_seconds=idle_seconds))
