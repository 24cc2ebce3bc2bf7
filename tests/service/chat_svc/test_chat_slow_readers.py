"""A reader who is slower than the model, of an answer in many pieces: what waits for it, and who waits with it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest

from runtime.streams import reading
from scenemesh.chat.v1 import chat_pb2, chat_pb2_grpc
from services.chat_svc.answering import live
from services.chat_svc.answering.journal import _batch
from services.chat_svc.answering.tails import Item, Place, Tail, Tails
from services.chat_svc.answering.watching import Watching
from services.chat_svc.domain.log import Event
from services.chat_svc.domain.model import Limits, Model
from services.chat_svc.store import Begun
from tests.fakes import provider
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.harness.serving import client_credentials
from tests.service.chat_svc.replica import Events, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds, numbers, said
from tests.service.chat_svc.siblings import FakeQuota

PIECES = [f"{number:04} " for number in range(10_000)]
# For each piece that the slow reader takes the others take so many.
TIMES = 500
# What HTTP/2 lets be under way to a reader, a server's own buffer as large, and as much again.
HELD_BYTES_MAX = 256 * 1024
# A window that does not grow.
OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.http2.lookahead_bytes", 64 * 1024),
    ("grpc.http2.bdp_probe", 0),
)

# In a call, its place among the calls.
PLACE: ContextVar[int] = ContextVar("place")


@dataclass
class Calls:
    """The calls that tell events, in the order in which they began.

    How many events each was given, how many entries it took from the journal, and how many with the last reply.
    """

    given: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    taken_last: list[int] = field(default_factory=list)

    def waiting(self, place: int) -> int:
        """How many entries wait between the journal and a call."""
        return max(0, self.taken[place] - self.given[place])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    counted, events, after = Calls(), Watching.events, Tails.after

    async def given(self: Watching, begun: Begun, after: int) -> AsyncGenerator[Event, None]:
        place = len(counted.given)
        PLACE.set(place)
        for counts in (counted.given, counted.taken, counted.taken_last):
            counts.append(0)
        async with aclosing(events(self, begun, after)) as told:
            async for event in told:
                counted.given[place] += 1
                yield event

    async def taken(self: Tails, tail: Tail, behind: Place) -> list[Item] | None:
        items, place = await after(self, tail, behind), PLACE.get()
        batches = [batch for _, fields in items or () if (batch := _batch(fields)) is not None]
        counted.taken_last[place] = sum(len(entries) for _, entries in batches)
        counted.taken[place] += counted.taken_last[place]
        return items

    monkeypatch.setattr(Watching, "events", given)
    monkeypatch.setattr(Tails, "after", taken)
    return counted


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Lets the model speak, each piece of what it says as one of the answer's."""
    monkeypatch.setattr(live, "JOINED_CHARACTERS_MAX", 0)
    begun, stream = asyncio.Event(), provider._stream

    async def held(*arguments: Any) -> None:
        await begun.wait()
        await stream(*arguments)

    monkeypatch.setattr(provider, "_stream", held)
    return begun


@pytest.fixture
async def patient(around: Surroundings, claude: Model, quota: FakeQuota) -> AsyncIterator[Replica]:
    quota.left = len(PIECES)
    async with replica(around, [replace(claude, limits=Limits(60, 60))], idle_seconds=60) as running:
        yield running


@asynccontextmanager
async def connected(to: Replica) -> AsyncIterator[Any]:
    """A stub on a connection of its own."""
    credentials = client_credentials(to.dial.certificates / "edge")
    async with grpc.aio.secure_channel(to.dial.target, credentials, options=OPTIONS) as channel:
        yield chat_pb2_grpc.ChatServiceStub(channel)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["where the answer is made", "at another replica"])
async def test_a_slow_reader_is_waited_for_by_its_own_call_alone(
    patient: Replica, second: Replica, calls: Calls, begin: asyncio.Event, fake: FakeProvider, elsewhere: bool
) -> None:
    fake.script(Behaviour(answer=PIECES))
    alice, where = patient.person(), second if elsewhere else patient
    conversation = await alice.conversation("Titled")
    sending = asyncio.create_task(alice.turn(conversation))
    await eventually(lambda: len(fake.requests) == 1)
    request = chat_pb2.WatchMessageRequest(name=(await alice.messages(conversation))[1].name)
    async with AsyncExitStack() as stack:
        stub = await stack.enter_async_context(connected(where))
        slow = aiter(await stack.enter_async_context(reading(stub.WatchMessage(request, metadata=alice.metadata))))
        await eventually(lambda: len(calls.given) == 2)
        # On the same connection, which the slow one does not fill.
        fast = await stack.enter_async_context(reading(stub.WatchMessage(request, metadata=alice.metadata)))
        begin.set()
        events: Events = []
        read: Events = []
        async for event in fast:
            events.append(event)
            if len(events) % TIMES == 0:
                read.append(await anext(slow))
        given = calls.given[1]
        under_way, kept_back = _bytes(events[len(read) : given]), _bytes(events[given:])
        assert under_way < HELD_BYTES_MAX < kept_back
        assert calls.waiting(1) <= calls.taken_last[1]
        read += [event async for event in slow]
    assert read == events == await sending
    assert (said(events), kinds(events)[-1]) == ("".join(PIECES), "finished")
    assert numbers(events) == list(range(1, len(PIECES) + 3))


def _bytes(events: Events) -> int:
    return sum(event.ByteSize() for event in events)
