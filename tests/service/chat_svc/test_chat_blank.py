"""What is nothing that anybody sees: no message, no title, no name."""

from typing import Any

import grpc
import pytest

from scenemesh.chat.v1 import character_pb2, character_pb2_grpc, chat_pb2
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CHARACTER, Person, Replica, events_of
from tests.service.chat_svc.siblings import FakeQuota

BLANK = " \n\u3000"
INVALID = grpc.StatusCode.INVALID_ARGUMENT


async def _refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), str(caught.value.details())


async def _streamed(call: Any) -> None:
    async for _ in events_of(call):
        pass


async def test_a_message_that_says_nothing_is_refused_and_costs_nothing(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    parent = await alice.conversation("Baker Street")
    events = await alice.turn(parent)
    question, answer = await alice.messages(parent)
    before = len(quota.holds), len(fake.requests)
    stub, metadata = alice.stub, alice.metadata
    blank = (INVALID, "text: must not be blank")
    assert await _refused(alice.turn(parent, BLANK)) == blank
    reworded = chat_pb2.RewriteMessageRequest(name=question.name, text=BLANK)
    assert await _refused(_streamed(stub.RewriteMessage(reworded, metadata=metadata))) == blank
    edit = chat_pb2.UpdateMessageRequest(
        message=chat_pb2.Message(name=events[0].message, text=BLANK), update_mask={"paths": ["text"]}
    )
    assert await _refused(stub.UpdateMessage(edit, metadata=metadata)) == (INVALID, "message.text: must not be blank")
    assert (len(quota.holds), len(fake.requests)) == before
    assert await alice.messages(parent) == [question, answer]


async def test_a_title_that_says_nothing_is_none(alice: Person) -> None:
    name = await alice.conversation(BLANK)

    async def title() -> str:
        request = chat_pb2.GetConversationRequest(name=name)
        return (await alice.stub.GetConversation(request, metadata=alice.metadata)).display_name

    async def call(given: str) -> None:
        wanted = chat_pb2.Conversation(name=name, display_name=given)
        request = chat_pb2.UpdateConversationRequest(conversation=wanted, update_mask={"paths": ["display_name"]})
        await alice.stub.UpdateConversation(request, metadata=alice.metadata)

    assert await title() == "Sherlock Holmes"
    await call(" Baker Street\n")
    assert await title() == "Baker Street"
    events = await alice.turn(name)
    fork = chat_pb2.ForkConversationRequest(name=events[0].message, display_name=BLANK)
    forked = await alice.stub.ForkConversation(fork, metadata=alice.metadata)
    assert (forked.display_name, forked.character) == ("Baker Street", CHARACTER)
    await call(BLANK)
    assert await title() == "Sherlock Holmes"


async def test_a_character_has_a_name(alice: Person, first: Replica) -> None:
    stub = character_pb2_grpc.CharacterServiceStub(first.dial("edge"))
    metadata, blank = alice.metadata, (INVALID, "custom_character.display_name: must not be blank")
    wanted = character_pb2.CustomCharacter(display_name=BLANK)
    create = character_pb2.CreateCustomCharacterRequest(custom_character=wanted)
    assert await _refused(stub.CreateCustomCharacter(create, metadata=metadata)) == blank
    create.custom_character.display_name = " Mira "
    made = await stub.CreateCustomCharacter(create, metadata=metadata)
    assert made.display_name == "Mira"
    wanted.name = made.name
    change = character_pb2.UpdateCustomCharacterRequest(
        custom_character=wanted, update_mask={"paths": ["display_name"]}
    )
    assert await _refused(stub.UpdateCustomCharacter(change, metadata=metadata)) == blank
    change.update_mask.paths[:] = ["create_time"]
    may = (INVALID, "update_mask: may name display_name, greeting, persona, title, not create_time")
    assert await _refused(stub.UpdateCustomCharacter(change, metadata=metadata)) == may
