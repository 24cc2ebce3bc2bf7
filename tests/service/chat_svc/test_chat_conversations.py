"""Conversations and their lists, each person's own."""

import asyncio
import base64
import json
from collections.abc import Awaitable
from typing import Any

import grpc
import pytest

from runtime import pages
from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from tests.service.chat_svc.replica import Person, Replica

NOWHERE = "conversations/00000000-0000-4000-8000-000000000000"


def _reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), error_info(error).reason


async def test_a_conversation_is_named_after_its_character_unless_it_is_given_a_name(alice: Person) -> None:
    unnamed = await alice.stub.GetConversation(
        chat_pb2.GetConversationRequest(name=await alice.conversation()), metadata=alice.metadata
    )
    assert (unnamed.display_name, unnamed.message_count) == ("Sherlock Holmes", 0)
    wanted = chat_pb2.Conversation(character="characters/sherlock-holmes", display_name="Baker Street")
    named = await alice.stub.CreateConversation(
        chat_pb2.CreateConversationRequest(conversation=wanted), metadata=alice.metadata
    )
    assert (named.display_name, named.character) == ("Baker Street", "characters/sherlock-holmes")
    assert named.create_time == named.update_time


async def test_a_retry_opens_one_conversation(alice: Person, first: Replica) -> None:
    request = chat_pb2.CreateConversationRequest(
        conversation={"character": "characters/sherlock-holmes"}, request_id="0b9b0e4a-5d0f-4d0a-8f43-5c8d0f6f2a11"
    )
    opened = await alice.stub.CreateConversation(request, metadata=alice.metadata)
    again = await asyncio.gather(*(alice.stub.CreateConversation(request, metadata=alice.metadata) for _ in range(4)))
    assert again == [opened] * 4
    bob = first.person("bob")
    assert (await bob.stub.CreateConversation(request, metadata=bob.metadata)).name != opened.name


async def test_a_group_is_of_several(alice: Person) -> None:
    alone = {"character": "characters/sherlock-holmes", "group": {"answers_max": 2}}
    request = chat_pb2.CreateConversationRequest(conversation=alone)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.stub.CreateConversation(request, metadata=alice.metadata)
    assert _reason(caught.value) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")


async def test_nobody_talks_to_a_character_that_there_is_not(alice: Person) -> None:
    request = chat_pb2.CreateConversationRequest(conversation={"character": "characters/nobody"})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.stub.CreateConversation(request, metadata=alice.metadata)
    assert _reason(caught.value) == (grpc.StatusCode.NOT_FOUND, "CHARACTER_NOT_FOUND")


async def test_another_persons_conversation_does_not_exist(alice: Person, first: Replica) -> None:
    conversation = await alice.conversation()
    message = (await alice.turn(conversation))[0].message
    bob = first.person("bob")
    calls: dict[str, Awaitable[Any]] = {
        "get": bob.stub.GetConversation(chat_pb2.GetConversationRequest(name=conversation), metadata=bob.metadata),
        "list": bob.messages(conversation),
        "send": bob.turn(conversation),
        "watch": bob.watched(message),
    }
    refusals = {}
    for name, call in calls.items():
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        refusals[name] = _reason(caught.value)
    missing = (grpc.StatusCode.NOT_FOUND, "CONVERSATION_NOT_FOUND")
    assert refusals == {
        "get": missing,
        "list": missing,
        "send": missing,
        "watch": (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND"),
    }


async def test_what_a_person_said_cannot_be_watched(alice: Person) -> None:
    events = await alice.turn(await alice.conversation())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.watched(events[0].started.user_message.name)
    assert _reason(caught.value) == (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND")


async def test_a_message_of_another_conversation_is_not_in_this_one(alice: Person) -> None:
    message = (await alice.turn(await alice.conversation()))[0].message
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.watched(f"{NOWHERE}/messages/{message.split('/')[3]}")
    assert _reason(caught.value) == (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND")


async def test_the_conversation_used_last_comes_first_page_by_page(alice: Person, first: Replica) -> None:
    names = [await alice.conversation() for _ in range(5)]
    await first.person("bob").conversation()
    await alice.turn(names[1])
    listed, token = [], ""
    for _ in range(3):
        request = chat_pb2.ListConversationsRequest(page_size=2, page_token=token)
        page = await alice.stub.ListConversations(request, metadata=alice.metadata)
        listed += [(one.name, one.message_count) for one in page.conversations]
        token = page.next_page_token
    assert token == ""
    assert listed == [(names[1], 2), *((name, 0) for name in (names[4], names[3], names[2], names[0]))]


async def test_messages_come_oldest_first_page_by_page(alice: Person) -> None:
    conversation = await alice.conversation()
    for text in ("one", "two"):
        await alice.turn(conversation, text)
    listed, token = [], ""
    for _ in range(2):
        request = chat_pb2.ListMessagesRequest(parent=conversation, page_size=3, page_token=token)
        page = await alice.stub.ListMessages(request, metadata=alice.metadata)
        listed += list(page.messages)
        token = page.next_page_token
    assert (listed, token) == (await alice.messages(conversation), "")
    assert [message.text for message in listed if message.role == chat_pb2.ROLE_USER] == ["one", "two"]


@pytest.mark.parametrize("position", [["x", "y"], ["2026-11-21T12:00:00", NOWHERE.split("/")[1]], ["x"], [1, 2]])
async def test_a_forged_page_token_is_refused(alice: Person, position: list[str]) -> None:
    token = base64.urlsafe_b64encode(json.dumps(["users/alice/conversations", *position]).encode()).decode()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.stub.ListConversations(chat_pb2.ListConversationsRequest(page_token=token), metadata=alice.metadata)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "position", ["x", "-1", "", "2147483648", "99999999999999999999", "0000000000099999999999", "9" * 5_000, "²"]
)
async def test_a_forged_position_is_refused(alice: Person, position: str) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    request = chat_pb2.ListMessagesRequest(parent=conversation, page_size=1)
    page = await alice.stub.ListMessages(request, metadata=alice.metadata)
    scope, _ = json.loads(base64.urlsafe_b64decode(page.next_page_token + "=="))
    request.page_token = pages.token(scope, [position])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.stub.ListMessages(request, metadata=alice.metadata)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
