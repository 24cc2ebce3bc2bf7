"""Portraits of a whole cast: nobody waits for one who waits for another, and names wait for none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from time import monotonic

import grpc
import pytest

from runtime.errors import NotFound
from runtime.postgres import pool
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.model import Model
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.characters import Characters
from services.chat_svc.scenes.portraits.portraits import Source, portraits
from services.chat_svc.store import MIGRATIONS, SCHEMA
from services.chat_svc.store.characters import CustomCharacters, Kept
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import CAST, gathered, round_of, words
from tests.service.chat_svc.replica import Surroundings, eventually, replica

PERSONAS = ["A consulting detective.", "A doctor who writes it all down.", "The government, more or less."]
NAMES = ["John Watson", "Mycroft Holmes", "Sherlock Holmes"]
# Below what anybody may wait for with a deadline; far above what those wait who do not.
PATIENCE_SECONDS = 30.0


class Assembly:
    """A source that answers when `expected` are asked about at once."""

    def __init__(self, expected: int) -> None:
        self.asked: list[str] = []
        self._all = asyncio.Barrier(expected)

    async def text(self, persona: Persona) -> str:
        self.asked.append(persona.display_name)
        await self._all.wait()
        return f"Portrait of {persona.display_name}."


class Silent:
    """A source that never answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def text(self, persona: Persona) -> str:
        self.asked.append(persona.display_name)
        await asyncio.Event().wait()
        return ""


@asynccontextmanager
async def characters(around: Surroundings, source: Source) -> AsyncIterator[Characters]:
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(pool(around.database, schema=SCHEMA, migrations=MIGRATIONS))
        known = await stack.enter_async_context(portraits([source], Kept(connections), partial(datetime.now, UTC)))
        yield Characters(around.connect("search"), CustomCharacters(connections), known, monotonic)


async def test_the_portraits_of_a_cast_are_fetched_side_by_side(around: Surroundings) -> None:
    async with characters(around, Assembly(len(CAST))) as opened:
        found = await opened.personas("alice", CAST, portraits_seconds=PATIENCE_SECONDS)
    assert [one.persona for one in found] == [
        f"{persona} Portrait of {one.display_name}." for persona, one in zip(PERSONAS, found, strict=True)
    ]
    assert [one.character for one in found] == list(CAST)


async def test_a_cast_whose_portraits_are_late_goes_on_without(around: Surroundings) -> None:
    source = Silent()
    async with characters(around, source) as opened:
        found = await opened.personas("alice", CAST, portraits_seconds=0.5)
        # On a busy machine, some are asked for only after nobody waits any more.
        await eventually(lambda: sorted(source.asked) == NAMES)
    assert [one.persona for one in found] == PERSONAS


async def test_a_cast_with_a_stranger_is_refused_as_one_stranger_is(around: Surroundings) -> None:
    async with characters(around, Silent()) as opened:
        for asked in (opened.personas, opened.display_names):
            with pytest.raises(NotFound) as caught:
                await asked("alice", (*CAST, "characters/nobody"))
            assert caught.value.reason == "CHARACTER_NOT_FOUND"


async def test_whoever_needs_names_alone_asks_for_no_portrait(
    around: Surroundings, claude: Model, fake: FakeProvider
) -> None:
    source = Silent()
    async with replica(around, [claude], sources=[source]) as only:
        alice = only.person()
        conversation = await gathered(alice)
        assert source.asked == []
        request = chat_pb2.EstimateTurnRequest(parent=conversation, text="Well, Watson?")
        assert (await alice.stub.EstimateTurn(request, metadata=alice.metadata, timeout=PATIENCE_SECONDS)).affordable
        fake.script(*words("One.", "Two.", "Three."))
        events = await round_of(alice, conversation)
    assert [event.finished.message.text for event in events if event.HasField("finished")] == ["One.", "Two.", "Three."]
    assert sorted(source.asked) == NAMES


async def test_a_conversation_with_somebody_whom_the_catalogue_lacks_is_not_opened(
    around: Surroundings, claude: Model
) -> None:
    async with replica(around, [claude], sources=[Silent()]) as only:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await gathered(only.person(), cast=(CAST[0], "characters/nobody"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
