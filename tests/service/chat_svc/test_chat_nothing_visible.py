"""A text of which nobody sees anything says nothing, and costs nothing."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.pictures import opened, owner, picture, showing
from tests.service.chat_svc.replica import Person, Replica, events_of
from tests.service.chat_svc.siblings import FakeQuota

NOTHING = (
    "   \n\u200b ",
    "\u2060",
    "\u00ad\ufeff",
    "\ufe0f\u200d",
    "\u2800",
    "\u3164",
    "\U000e0041\U000e0042",
    "\u202e\n",
)
BLANK = (grpc.StatusCode.INVALID_ARGUMENT, "text: must not be blank")


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


async def rewritten(person: Person, name: str, text: str) -> None:
    request = chat_pb2.RewriteMessageRequest(name=name, text=text)
    async for _ in events_of(person.stub.RewriteMessage(request, metadata=person.metadata)):
        pass


async def edited(person: Person, name: str, text: str) -> None:
    change = chat_pb2.UpdateMessageRequest(
        message=chat_pb2.Message(name=name, text=text), update_mask={"paths": ["text"]}
    )
    await person.stub.UpdateMessage(change, metadata=person.metadata)


async def test_what_nobody_sees_is_no_message(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    parent = await opened(alice)
    await alice.turn(parent)
    question, answer = await alice.messages(parent)
    before = len(quota.holds), len(fake.requests)
    for text in NOTHING:
        assert await refused(alice.turn(parent, text)) == BLANK
        assert await refused(rewritten(alice, question.name, text)) == BLANK
        told = (grpc.StatusCode.INVALID_ARGUMENT, "message.text: must not be blank")
        assert await refused(edited(alice, question.name, text)) == told
    assert (len(quota.holds), len(fake.requests)) == before
    assert await alice.messages(parent) == [question, answer]


async def test_a_picture_needs_no_words(first: Replica, alice: Person) -> None:
    kept = await owner(first).keep(picture())
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await showing(alice, await opened(alice), [kept.name], NOTHING[0])
    # No model here sees, which is asked after the words.
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
