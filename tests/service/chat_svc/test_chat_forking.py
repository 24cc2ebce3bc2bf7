"""Conversations that begin with what was said in another one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.events.v1 import chat_pb2 as events_pb2
from scenemesh.events.v1.envelope_pb2 import Envelope
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.trees import Desk, desk, refusal

RETRY = "5b0f0a52-6d0f-4f0e-9a53-6a2f9b1f7a11"


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def test_a_fork_has_what_was_said_until_then(hers: Desk) -> None:
    name = await hers.person.conversation()
    first, answer, more = await hers.line(name, "One", "Two", "Three")
    await hers.say(name, first, "Other two", "character")
    new = await hers.fork(answer)
    assert (new.forked_from, new.display_name, new.message_count) == (name, "Sherlock Holmes", 2)
    one, two = await hers.pages(new.name, all_branches=True)
    assert [(each.text, each.role) for each in (one, two)] == [
        ("One", chat_pb2.ROLE_USER),
        ("Two", chat_pb2.ROLE_CHARACTER),
    ]
    assert (one.parent, two.parent, new.current_message) == ("", one.name, two.name)
    assert {one.name, two.name}.isdisjoint({first, answer, more})
    assert await hers.conversation(new.name) == new


async def test_every_branch_until_then_comes_along_where_that_is_wanted(hers: Desk) -> None:
    name = await hers.person.conversation()
    first, *_ = await hers.line(name, "One", "Two", "Three")
    other = await hers.say(name, first, "Other two", "character")
    await hers.say(name, other, "Later")
    new = await hers.fork(other, all_branches=True, display_name="What if")
    assert (new.display_name, new.message_count) == ("What if", 4)
    assert [one.text for one in await hers.pages(new.name)] == ["One", "Other two"]
    assert [one.text for one in await hers.pages(new.name, all_branches=True)] == ["One", "Two", "Three", "Other two"]


async def test_a_fork_keeps_what_the_person_thinks_and_none_of_the_costs(hers: Desk, quota: FakeQuota) -> None:
    name = await hers.person.conversation()
    events = await hers.person.turn(name)
    answer = await hers.update(events[0].message, pinned=True, reaction=chat_pb2.REACTION_LIKE)
    receipt = events[-1].finished.receipt
    new = await hers.fork(answer.name)
    (_, copy) = await hers.pages(new.name)
    assert (copy.pinned, copy.reaction, copy.text, copy.usage, copy.create_time) == (
        True,
        chat_pb2.REACTION_LIKE,
        answer.text,
        answer.usage,
        answer.create_time,
    )
    replayed = await hers.person.watched(copy.name)
    assert [one.WhichOneof("event") for one in replayed] == [one.WhichOneof("event") for one in events]
    assert replayed[-1].finished.receipt == chat_pb2.Receipt(meter="chat", usage=receipt.usage)
    assert new.token_count == receipt.usage.input_tokens + receipt.usage.output_tokens
    assert (receipt.charged, len(quota.holds)) == (1, 1)


async def test_a_retry_gives_the_same_fork(hers: Desk) -> None:
    (first,) = await hers.line(await hers.person.conversation(), "One")
    forks = await asyncio.gather(*[hers.fork(first, request_id=one) for one in (RETRY, RETRY.upper(), RETRY)])
    assert (forks[0], forks[0]) == (forks[1], forks[2])
    others = [await hers.fork(first) for _ in range(2)]
    page = await hers.ask("ListConversations", chat_pb2.ListConversationsRequest())
    assert [one.name for one in page.conversations[:3]] == [others[1].name, others[0].name, forks[0].name]


async def test_a_fork_and_its_origin_go_their_own_ways(hers: Desk) -> None:
    name = await hers.person.conversation()
    first, answer = await hers.line(name, "One", "Two")
    new = await hers.fork(answer)
    await hers.update(first, text="Something else")
    started = (await hers.person.turn(new.name, "And then?"))[0].started
    assert started.user_message.parent == new.current_message
    await hers.ask("DeleteConversation", chat_pb2.DeleteConversationRequest(name=name))
    assert [one.text for one in await hers.pages(new.name)][:3] == ["One", "Two", "And then?"]


async def test_a_live_answer_is_not_forked_and_what_was_before_it_is(hers: Desk, fake: FakeProvider) -> None:
    name = await hers.person.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(hers.person.sending(name)) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        code, reason, _ = await refusal(hers.fork(started.message))
        assert (code, reason) == (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")
        new = await hers.fork(started.started.user_message.name, all_branches=True)
        assert [one.text for one in await hers.pages(new.name)] == ["Who are you?"]
        await hers.ask("StopMessage", chat_pb2.StopMessageRequest(name=started.message))


async def test_others_are_told_of_a_fork(hers: Desk) -> None:
    (first,) = await hers.line(await hers.person.conversation(), "One")
    new = await hers.fork(first)
    payload = await hers.database.fetchval("SELECT payload FROM chat.outbox ORDER BY seq DESC LIMIT 1")
    envelope, told = Envelope.FromString(payload), events_pb2.ConversationCreated()
    assert envelope.data.Unpack(told)
    assert (envelope.type, told.conversation) == ("conversation.created", new.name)
