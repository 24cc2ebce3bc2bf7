import asyncpg

from runtime.events.envelope import opened
from scenemesh.events.v1 import chat_pb2 as events
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CHARACTER, Person

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
