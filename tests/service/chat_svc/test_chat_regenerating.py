"""Turns beside earlier ones: answers made anew, messages said differently, what is said in the middle."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import CAST, LIST, MANUAL, MYCROFT, SHERLOCK, WATSON, answers, gathered, round_of
from tests.service.chat_svc.groups import speakers as speakers_of
from tests.service.chat_svc.replica import CALL_SECONDS, Events, Person, Replica, events_of, eventually
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

REQUEST = "6f1d2c3e-0000-4000-8000-000000000001"
NOBODYS = "6f1d2c3e-0000-4000-8000-00000000000f"
USER = chat_pb2.ROLE_USER


def regenerating(person: Person, name: str, request_id: str = "") -> AsyncGenerator[chat_pb2.ChatEvent, None]:
    request = chat_pb2.RegenerateMessageRequest(name=name, request_id=request_id)
    return events_of(person.stub.RegenerateMessage(request, metadata=person.metadata, timeout=CALL_SECONDS))


async def regenerated(person: Person, name: str, request_id: str = "") -> Events:
    return [event async for event in regenerating(person, name, request_id)]


async def rewritten(person: Person, name: str, text: str, request_id: str = "") -> Events:
    request = chat_pb2.RewriteMessageRequest(name=name, text=text, request_id=request_id)
    return [
        event async for event in person.stub.RewriteMessage(request, metadata=person.metadata, timeout=CALL_SECONDS)
    ]


async def said_after(person: Person, parent: str, text: str, after: str) -> Events:
    request = chat_pb2.SendMessageRequest(parent=parent, text=text, after=after)
    return [event async for event in person.stub.SendMessage(request, metadata=person.metadata, timeout=CALL_SECONDS)]


async def everything(person: Person, parent: str) -> list[chat_pb2.Message]:
    """The messages of all branches."""
    request = chat_pb2.ListMessagesRequest(parent=parent, all_branches=True)
    return list((await person.stub.ListMessages(request, metadata=person.metadata)).messages)


async def current(person: Person, name: str) -> str:
    request = chat_pb2.GetConversationRequest(name=name)
    return (await person.stub.GetConversation(request, metadata=person.metadata)).current_message


def reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), error_info(error).reason


async def test_a_new_answer_stands_beside_the_one_named(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Holmes."]), Behaviour(answer=["Elementary."]))
    await alice.turn(conversation)
    question, earlier = await alice.messages(conversation)
    events = await regenerated(alice, earlier.name)
    answer = events[-1].finished.message
    assert (kinds(events), events[0].started.user_message) == (["started", "delta", "finished"], question)
    assert (answer.text, answer.parent, answer.sibling_number, answer.sibling_count) == (
        "Elementary.",
        question.name,
        2,
        2,
    )
    assert await alice.messages(conversation) == [question, answer]
    assert [one.text for one in await everything(alice, conversation)] == ["Who are you?", "Holmes.", "Elementary."]
    assert await current(alice, conversation) == answer.name
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED] * 2


async def test_the_model_is_asked_the_same_once_more(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    await alice.turn(conversation, "And now?")
    answer = (await alice.messages(conversation))[3]
    await regenerated(alice, answer.name)
    assert fake.requests[1].body == fake.requests[2].body


async def test_an_answer_in_the_middle_begins_a_branch(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    await alice.turn(conversation, "And now?")
    first = (await alice.messages(conversation))[1]
    await regenerated(alice, first.name)
    await alice.turn(conversation, "What else?")
    assert [one.text for one in await alice.messages(conversation) if one.role == USER] == [
        "Who are you?",
        "What else?",
    ]
    assert "And now?" not in str(fake.requests[-1].body["messages"])
    assert len(await everything(alice, conversation)) == 7


async def test_something_else_is_said_beside_what_the_person_said(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    await alice.turn(conversation, "And now?")
    before = await alice.messages(conversation)
    events = await rewritten(alice, before[2].name, "What else?")
    said, answer = events[0].started.user_message, events[-1].finished.message
    assert (said.text, said.parent, said.sibling_number, said.sibling_count) == ("What else?", before[1].name, 2, 2)
    assert [one.name for one in await alice.messages(conversation)] == [
        *(one.name for one in before[:2]),
        said.name,
        answer.name,
    ]
    heard = str(fake.requests[-1].body["messages"])
    assert ("And now?" in heard, "What else?" in heard) == (False, True)
    assert (await current(alice, conversation), len(quota.settled)) == (answer.name, 3)


async def test_the_first_message_can_be_said_differently_too(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    first = (await alice.messages(conversation))[0]
    said = (await rewritten(alice, first.name, "What are you?"))[0].started.user_message
    assert (said.parent, said.sibling_number, said.sibling_count) == ("", 2, 2)
    assert len(fake.requests[-1].body["messages"]) == 1


async def test_something_said_in_the_middle_begins_a_branch(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    for text in ("One", "Two"):
        await alice.turn(conversation, text)
    before = await alice.messages(conversation)
    events = await said_after(alice, conversation, "Instead", before[1].name)
    branch = await alice.messages(conversation)
    assert [one.name for one in branch[:2]] == [one.name for one in before[:2]]
    assert [one.text for one in branch[2:]] == ["Instead", events[-1].finished.message.text]
    assert (branch[2].parent, branch[2].sibling_number, branch[2].sibling_count) == (before[1].name, 2, 2)
    assert "Two" not in str(fake.requests[-1].body["messages"])
    assert await current(alice, conversation) == branch[3].name


async def test_what_is_said_after_a_message_must_be_in_its_conversation(alice: Person) -> None:
    here, there = await alice.conversation(), await alice.conversation()
    await alice.turn(there)
    elsewhere = (await alice.messages(there))[1].name
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await said_after(alice, here, "Well?", elsewhere)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await said_after(alice, here, "Well?", elsewhere.replace(there, here))
    assert reason(caught.value) == (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND")
    assert await alice.messages(here) == []


async def test_a_repeated_request_gives_the_same_answer_and_costs_once(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    question, answer = await alice.messages(conversation)
    again = await regenerated(alice, answer.name, REQUEST)
    assert await regenerated(alice, answer.name, REQUEST) == again
    other = NOBODYS
    differently = await rewritten(alice, question.name, "What are you?", other)
    assert await rewritten(alice, question.name, "What are you?", other) == differently
    assert (len(fake.requests), len(quota.holds), quota.left) == (3, 3, 2)


async def test_twins_of_a_request_share_one_answer(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    answer = (await alice.messages(conversation))[1]
    fake.script(Behaviour(answer=["word "] * 10, delay_ms=10))
    async with asyncio.TaskGroup() as tasks:
        twins = [tasks.create_task(regenerated(alice, answer.name, REQUEST)) for _ in range(3)]
    assert [twin.result() for twin in twins] == [twins[0].result()] * 3
    assert (len(fake.requests), quota.states()) == (2, [quota_pb2.HOLD_STATE_SETTLED] * 2)


async def test_a_request_id_is_for_one_turn_alone(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    await alice.turn(conversation, "And now?", REQUEST)
    messages = await alice.messages(conversation)
    reused = (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    for turn in (
        regenerated(alice, messages[1].name, REQUEST),
        rewritten(alice, messages[0].name, "And now?", REQUEST),
        rewritten(alice, messages[2].name, "What else?", REQUEST),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await turn
        assert reason(caught.value) == reused
    assert len(fake.requests) == 2


async def test_a_message_of_the_wrong_side_is_refused(alice: Person) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    question, answer = await alice.messages(conversation)
    for turn, fault in (
        (regenerated(alice, question.name), "name: is no message of a character"),
        (rewritten(alice, answer.name, "What are you?"), "name: is no message of the person"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await turn
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, fault)


async def test_a_message_that_is_not_there_or_is_anothers_is_not_found(alice: Person, first: Replica) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    question, answer = await alice.messages(conversation)
    mallory, nobodys = first.person("mallory"), f"{conversation}/messages/{NOBODYS}"
    codes = []
    for turn in (
        regenerated(mallory, answer.name),
        rewritten(mallory, question.name, "Mine?"),
        regenerated(alice, nobodys),
        rewritten(alice, nobodys, "Where?"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await turn
        codes.append(reason(caught.value))
    missing = grpc.StatusCode.NOT_FOUND
    assert codes == [(missing, "CONVERSATION_NOT_FOUND")] * 2 + [(missing, "MESSAGE_NOT_FOUND")] * 2
    assert await alice.messages(conversation) == [question, answer]


async def test_nothing_is_made_anew_while_the_character_is_answering(
    alice: Person, second: Replica, fake: FakeProvider
) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    question, answer = await alice.messages(conversation)
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    async with aclosing(regenerating(alice, answer.name)) as stream:
        begun = await anext(stream)
        there = second.person()
        for turn in (
            regenerated(there, answer.name),
            regenerated(there, begun.message),
            rewritten(there, question.name, "What are you?"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await turn
            assert reason(caught.value) == (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")


async def test_without_credit_nothing_is_made_anew(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    question, answer = await alice.messages(conversation)
    quota.left = 0
    for turn in (regenerated(alice, answer.name), rewritten(alice, question.name, "What are you?")):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await turn
        assert reason(caught.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXHAUSTED")
    assert (await alice.messages(conversation), len(fake.requests)) == ([question, answer], 1)


async def test_a_disconnect_stops_no_new_answer(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    await alice.turn(conversation)
    answer = (await alice.messages(conversation))[1]
    fake.script(Behaviour(answer=["word "] * 10, delay_ms=10))
    async with aclosing(regenerating(alice, answer.name)) as stream:
        begun = await anext(stream)
    assert (await alice.watched(begun.message))[-1].finished.message.text == "word " * 10
    await eventually(lambda: fake.open_streams == 0)


async def test_an_answer_of_a_round_is_made_anew_with_those_that_followed_it(alice: Person, quota: FakeQuota) -> None:
    quota.left = 9
    conversation = await gathered(alice, chat_pb2.Group(turn_order=MANUAL))
    before = answers(await round_of(alice, conversation, speakers=[MYCROFT, SHERLOCK, WATSON]))
    events = await regenerated(alice, before[1].name)
    assert speakers_of(events) == [SHERLOCK, WATSON]
    anew = answers(events)
    assert [(one.parent, one.sibling_count) for one in anew] == [(before[0].name, 2), (anew[0].name, 1)]
    assert await current(alice, conversation) == anew[1].name
    assert speakers_of(await regenerated(alice, anew[1].name)) == [WATSON]


async def test_another_message_begins_a_round_of_its_own(alice: Person, quota: FakeQuota) -> None:
    quota.left = 20
    for group, spoke in (
        (chat_pb2.Group(turn_order=LIST), list(CAST)),
        (chat_pb2.Group(turn_order=MANUAL), [WATSON, SHERLOCK]),
    ):
        conversation = await gathered(alice, group)
        await round_of(alice, conversation, speakers=[WATSON, SHERLOCK])
        said = (await alice.messages(conversation))[0]
        assert speakers_of(await rewritten(alice, said.name, "What else?")) == spoke


@pytest.mark.parametrize(
    ("answered", "group", "answers"),
    [
        ([WATSON, SHERLOCK, MYCROFT], {"answers_max": 2}, [WATSON, SHERLOCK]),
        ([WATSON, WATSON, SHERLOCK], {"self_replies": False}, [WATSON, SHERLOCK]),
    ],
)
async def test_another_message_has_the_answers_that_the_group_lets_it_have_by_now(
    alice: Person, quota: FakeQuota, answered: list[str], group: dict[str, int | bool], answers: list[str]
) -> None:
    quota.left = 20
    conversation = await gathered(alice, chat_pb2.Group(turn_order=MANUAL, self_replies=True))
    await round_of(alice, conversation, speakers=answered)
    said = (await alice.messages(conversation))[0]
    now = chat_pb2.Group(turn_order=MANUAL, **group)  # type: ignore[arg-type] # each as its field takes it
    wanted = chat_pb2.Conversation(name=conversation, group=now)
    change = chat_pb2.UpdateConversationRequest(conversation=wanted, update_mask={"paths": ["group"]})
    await alice.stub.UpdateConversation(change, metadata=alice.metadata)
    assert speakers_of(await rewritten(alice, said.name, "What else?")) == answers


async def test_another_message_is_answered_where_the_answers_of_the_first_were_deleted(
    alice: Person, quota: FakeQuota
) -> None:
    quota.left = 20
    conversation = await gathered(alice, chat_pb2.Group(turn_order=MANUAL))
    await round_of(alice, conversation, speakers=[WATSON])
    said, answer = await alice.messages(conversation)
    await alice.stub.DeleteMessage(chat_pb2.DeleteMessageRequest(name=answer.name), metadata=alice.metadata)
    assert speakers_of(await rewritten(alice, said.name, "What else?")) == [SHERLOCK]
