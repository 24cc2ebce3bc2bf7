from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from runtime.status import error_info
from scenemesh.chat.v1 import character_pb2, character_pb2_grpc, chat_pb2
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person, Replica

MIRA = character_pb2.CustomCharacter(
    display_name="Mira", title="The Lighthouse", persona="A keeper of lamps.\nSays little.", greeting="Mind the stairs."
)


class Author:
    """Somebody who makes characters up."""

    def __init__(self, replica: Replica, user: str = "alice") -> None:
        self.stub: Any = character_pb2_grpc.CharacterServiceStub(replica.dial("edge"))
        self.metadata = (("x-user-id", user), ("x-user-role", "user"))

    async def create(self, request_id: str = "", display_name: str = "Mira") -> character_pb2.CustomCharacter:
        wanted = character_pb2.CustomCharacter()
        wanted.CopyFrom(MIRA)
        wanted.display_name = display_name
        request = character_pb2.CreateCustomCharacterRequest(custom_character=wanted, request_id=request_id)
        made: character_pb2.CustomCharacter = await self.call("CreateCustomCharacter", request)
        return made

    async def call(self, name: str, request: Any) -> Any:
        return await getattr(self.stub, name)(request, metadata=self.metadata)

    async def get(self, name: str) -> character_pb2.CustomCharacter:
        found: character_pb2.CustomCharacter = await self.call(
            "GetCustomCharacter", character_pb2.GetCustomCharacterRequest(name=name)
        )
        return found


@pytest.fixture
def author(first: Replica) -> Author:
    return Author(first)


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), error_info(caught.value).reason


async def talk(person: Person, character: str) -> str:
    request = chat_pb2.CreateConversationRequest(conversation=chat_pb2.Conversation(character=character))
    return (await person.stub.CreateConversation(request, metadata=person.metadata)).name


async def test_a_character_is_kept_changed_listed_and_deleted(author: Author) -> None:
    made = await author.create()
    assert await author.get(made.name) == made
    assert (made.display_name, made.persona) == (MIRA.display_name, MIRA.persona)
    mask = FieldMask(paths=["persona"])
    change = character_pb2.CustomCharacter(name=made.name, persona="Says even less.", display_name="Not named")
    request = character_pb2.UpdateCustomCharacterRequest(custom_character=change, update_mask=mask)
    changed = await author.call("UpdateCustomCharacter", request)
    assert (changed.persona, changed.display_name) == ("Says even less.", "Mira")
    listed = await author.call("ListCustomCharacters", character_pb2.ListCustomCharactersRequest())
    assert list(listed.custom_characters) == [await author.get(made.name)] == [changed]
    for _ in range(2):
        await author.call("DeleteCustomCharacter", character_pb2.DeleteCustomCharacterRequest(name=made.name))
    assert await refused(author.get(made.name)) == (grpc.StatusCode.NOT_FOUND, "CHARACTER_NOT_FOUND")


async def test_a_retry_makes_one_character(author: Author) -> None:
    request_id = "0d1a9a55-5a1c-4f3e-9d5c-2f0f4a1c7f10"
    assert await author.create(request_id) == await author.create(request_id, display_name="Another")


async def test_pages_hold_every_character_once_the_newest_first(author: Author) -> None:
    names = [(await author.create(display_name=f"Mira {number}")).name for number in range(5)]
    request, found = character_pb2.ListCustomCharactersRequest(page_size=2), []
    while True:
        page = await author.call("ListCustomCharacters", request)
        found += [one.name for one in page.custom_characters]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == names[::-1]


async def test_somebody_elses_character_is_none(author: Author, first: Replica) -> None:
    made, mallory = await author.create(), Author(first, "mallory")
    missing = (grpc.StatusCode.NOT_FOUND, "CHARACTER_NOT_FOUND")
    change = character_pb2.UpdateCustomCharacterRequest(
        custom_character=character_pb2.CustomCharacter(name=made.name, persona="Mine."),
        update_mask=FieldMask(paths=["persona"]),
    )
    assert await refused(mallory.get(made.name)) == missing
    assert await refused(mallory.call("UpdateCustomCharacter", change)) == missing
    assert await refused(talk(first.person("mallory"), made.name)) == missing
    await mallory.call("DeleteCustomCharacter", character_pb2.DeleteCustomCharacterRequest(name=made.name))
    assert await author.get(made.name) == made


async def test_there_are_a_hundred_and_no_more(author: Author) -> None:
    for number in range(100):
        await author.create(display_name=f"Mira {number}")
    assert await refused(author.create()) == (grpc.StatusCode.FAILED_PRECONDITION, "TOO_MANY_CHARACTERS")


@pytest.mark.parametrize(
    ("name", "path"),
    [("characters/sherlock-holmes", "persona"), ("customCharacters/1", "persona"), ("", "name"), ("", "nonsense")],
)
async def test_a_change_that_makes_no_sense_is_refused(author: Author, name: str, path: str) -> None:
    made = await author.create()
    change = character_pb2.CustomCharacter(name=name or made.name)
    request = character_pb2.UpdateCustomCharacterRequest(custom_character=change, update_mask=FieldMask(paths=[path]))
    assert (await refused(author.call("UpdateCustomCharacter", request)))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_change_may_not_empty_a_name(author: Author) -> None:
    made = await author.create()
    change = character_pb2.CustomCharacter(name=made.name)
    mask = FieldMask(paths=["display_name"])
    request = character_pb2.UpdateCustomCharacterRequest(custom_character=change, update_mask=mask)
    assert (await refused(author.call("UpdateCustomCharacter", request)))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_character_of_ones_own_greets_and_answers(author: Author, alice: Person, fake: FakeProvider) -> None:
    made = await author.create()
    parent = await talk(alice, made.name)
    (greeting,) = await alice.messages(parent)
    assert (greeting.text, greeting.role, greeting.character) == (
        "Mind the stairs.",
        chat_pb2.ROLE_CHARACTER,
        made.name,
    )
    watched = await alice.watched(greeting.name)
    assert [one.WhichOneof("event") for one in watched] == ["started", "delta", "finished"]
    events = await alice.turn(parent)
    assert events[-1].finished.message.parent == events[0].started.user_message.name
    assert events[0].started.user_message.parent == greeting.name
    (asked,) = fake.requests
    assert "A keeper of lamps. Says little." in str(asked)


async def test_a_conversation_with_a_deleted_character_can_be_read_but_not_gone_on_with(
    author: Author, alice: Person
) -> None:
    made = await author.create()
    parent = await talk(alice, made.name)
    await alice.turn(parent)
    await author.call("DeleteCustomCharacter", character_pb2.DeleteCustomCharacterRequest(name=made.name))
    assert len(await alice.messages(parent)) == 3
    assert await refused(alice.turn(parent)) == (grpc.StatusCode.NOT_FOUND, "CHARACTER_NOT_FOUND")


async def test_a_conversation_whose_character_was_deleted_can_lose_its_title(author: Author, alice: Person) -> None:
    made = await author.create()
    conversation = chat_pb2.Conversation(name=await talk(alice, made.name), display_name="The lamps")
    titles = []
    for deletes in (False, True):
        if deletes:
            await author.call("DeleteCustomCharacter", character_pb2.DeleteCustomCharacterRequest(name=made.name))
        for title in ("The lamps", ""):
            conversation.display_name = title
            request = chat_pb2.UpdateConversationRequest(
                conversation=conversation, update_mask=FieldMask(paths=["display_name"])
            )
            changed = await alice.stub.UpdateConversation(request, metadata=alice.metadata)
            titles.append(changed.display_name)
    assert titles == ["The lamps", "Mira", "The lamps", "A deleted character"]
