import asyncio
from functools import partial
from typing import Any

import asyncpg
import pytest

from runtime import redis
from runtime.events.envelope import ENVELOPE, opened, stream
from runtime.events.relay import Relay
from scenemesh.chat.v1 import chat_pb2
from scenemesh.events.v1 import chat_pb2 as events
from services.chat_svc import parts
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CHARACTER, WAIT_SECONDS, Person, Surroundings, replica

Told = list[tuple[str, str, events.ConversationCreated | events.MessageCompleted | events.MessageFailed]]

KINDS = {
    "conversation.created": events.ConversationCreated,
    "message.completed": events.MessageCompleted,
    "message.failed": events.MessageFailed,
}


async def told(database: str) -> Told:
    """The outbox, oldest first: types, subjects and contents."""
    connection = await asyncpg.connect(database)
    rows = await connection.fetch("SELECT payload FROM chat.outbox ORDER BY seq")
    await connection.close()
    found: Told = []
    for row in rows:
        envelope = opened(row["payload"])
        data = KINDS[envelope.type]()
        assert envelope.data.Unpack(data)
        found.append((envelope.type, envelope.subject, data))
    return found


async def test_a_conversation_and_its_answers_are_told_to_the_others(
    alice: Person, fake: FakeProvider, database: str
) -> None:
    parent = await alice.conversation()
    fake.script(Behaviour(usage=(12, 34)), Behaviour(status=400), Behaviour(status=400))
    completed = (await alice.turn(parent))[-1].message
    failed = (await alice.turn(parent))[-1]
    assert await told(database) == [
        (
            "conversation.created",
            "users/alice",
            events.ConversationCreated(conversation=parent, characters=[CHARACTER]),
        ),
        (
            "message.completed",
            "users/alice",
            events.MessageCompleted(
                message=completed,
                character=CHARACTER,
                model="claude",
                input_tokens=12,
                output_tokens=34,
                meter="chat",
                charged=1,
            ),
        ),
        (
            "message.failed",
            "users/alice",
            events.MessageFailed(
                message=failed.message, character=CHARACTER, model="claude", reason="MODEL_UNAVAILABLE", meter="chat"
            ),
        ),
    ]


async def test_what_was_not_kept_is_not_told(alice: Person, database: str) -> None:
    parent = await alice.conversation()
    request_id = "f3a51b5e-4d2e-4d63-a0a5-0c8f5f2a1f6e"
    await alice.turn(parent, request_id=request_id)
    await alice.turn(parent, request_id=request_id)
    assert [one[0] for one in await told(database)] == ["conversation.created", "message.completed"]


async def _published(redis_url: str, topic: str, user: str) -> list[str]:
    """The types of the events about a user that everybody can read, oldest first."""
    async with redis.connect(redis_url) as reading:
        entries: Any = await reading.xrange(stream(topic))
    envelopes = [opened(fields[ENVELOPE]) for _, fields in entries]
    return [one.type for one in envelopes if one.subject == f"users/{user}"]


async def test_an_event_waits_for_nobody_to_look(
    around: Surroundings, claude: Model, fake: FakeProvider, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "Relay", partial(Relay, poll_seconds=3600))

    async def comes(topic: str, types: list[str]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while await _published(redis_url, topic, "impatient") != types:
                await asyncio.sleep(0.01)

    async with replica(around, [claude]) as running:
        relaying = asyncio.create_task(running.parts.relay.run())
        person = running.person("impatient")
        parent = await person.conversation()
        await comes("conversation", ["conversation.created"])
        said = (await person.turn(parent))[0].message
        await comes("message", ["message.completed"])
        fake.script(Behaviour(status=400), Behaviour(status=400))
        await person.turn(parent)
        await comes("message", ["message.completed", "message.failed"])
        await person.stub.ForkConversation(chat_pb2.ForkConversationRequest(name=said), metadata=person.metadata)
        await comes("conversation", ["conversation.created"] * 2)
        relaying.cancel()
