"""Rounds of a group: who is asked what, and in which order."""

import asyncio
from contextlib import aclosing

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import (
    CAST,
    MANUAL,
    MYCROFT,
    NATURAL,
    SHERLOCK,
    WATSON,
    answers,
    gathered,
    logs,
    notes,
    paused,
    reason,
    round_of,
    said_to,
    speakers,
    stop,
    words,
)
from tests.service.chat_svc.replica import CALL_SECONDS, Person, Replica
from tests.service.chat_svc.shape import kinds, numbers, without_delays
from tests.service.chat_svc.siblings import FakeQuota

REQUEST = "6f1d2c3e-0000-4000-8000-000000000001"
WHOLE = ["started", "delta", "finished"]
IN_PROGRESS = (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")


async def test_a_round_is_answers_that_follow_one_another(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary.", "Amazing!", "Hm."))
    events = await round_of(alice, conversation)
    assert [kinds(log) for log in logs(events)] == [WHOLE] * 3
    assert [numbers(log) for log in logs(events)] == [[1, 2, 3]] * 3
    question, *said = await alice.messages(conversation)
    assert (speakers(events), answers(events)) == (list(CAST), said)
    assert [one.text for one in said] == ["Elementary.", "Amazing!", "Hm."]
    assert [one.parent for one in said] == [question.name, said[0].name, said[1].name]
    assert [one.next_message for one in said] == [said[1].name, said[2].name, ""]
    assert [log[0].started.user_message for log in logs(events)] == [question] * 3
    assert (quota.left, quota.states()) == (2, [quota_pb2.HOLD_STATE_SETTLED] * 3)


async def test_each_is_asked_for_themselves_and_hears_those_before(alice: Person, fake: FakeProvider) -> None:
    fake.script(*words("Elementary.", "Amazing!", "Hm."))
    await round_of(alice, await gathered(alice))
    assert [name in note for name, note in zip(("Sherlock", "Watson", "Mycroft"), notes(fake), strict=True)] == [
        True
    ] * 3
    heard = str(fake.requests[2].body["messages"])
    assert all(one in heard for one in ("Well?", "Sherlock Holmes: Elementary.", "John Watson: Amazing!"))


async def test_an_answer_goes_without_its_speakers_name_and_is_paid_with_it(alice: Person, fake: FakeProvider) -> None:
    named = Behaviour(answer=["**Wat", "son:** ", "Amazing!"], usage=(50, 9))
    fake.script(*words("Sherlock Holmes: Elementary."), named, *words("Watson: is that all?", "Sherlock: It is I."))
    events = await round_of(alice, await gathered(alice))
    assert [one.text for one in answers(events)] == ["Elementary.", "Amazing!", "Watson: is that all?"]
    assert [[event.delta.text for event in log[1:-1]] for log in logs(events)] == [
        ["Elementary."],
        ["Amazing!"],
        ["Watson: is that all?"],
    ]
    assert logs(events)[1][-1].finished.receipt.usage.output_tokens == 9
    heard = str(fake.requests[2].body["messages"])
    assert (heard.count("Sherlock Holmes: Elementary."), heard.count("John Watson: Amazing!")) == (1, 1)
    assert [event.delta.text for event in (await alice.turn(await alice.conversation("At home")))[1:-1]] == ["It is I."]


async def test_one_speaks_at_a_time(alice: Person, fake: FakeProvider) -> None:
    fake.script(*[Behaviour(answer=["a", "b", "c"], delay_ms=10)] * 3)
    most = 0
    # It has a title, so that nobody speaks behind the scenes.
    async with aclosing(said_to(alice, await gathered(alice, display_name="Baker Street"))) as events:
        async for _ in events:
            most = max(most, fake.open_streams)
    assert (most, len(fake.requests)) == (1, 3)


async def test_those_who_are_named_answer_and_a_scene_replays_exactly(alice: Person, quota: FakeQuota) -> None:
    quota.left = 100
    group = chat_pb2.Group(turn_order=NATURAL, seed=7, talkativeness={SHERLOCK: 50, WATSON: 50, MYCROFT: 50})
    scene = ["Well?", "Mycroft, what do you say?", "And now?", "Who else?", "Watson and Sherlock, then."]
    played = []
    for _ in range(2):
        conversation = await gathered(alice, group)
        played.append([speakers(await round_of(alice, conversation, text)) for text in scene])
    assert played[0] == played[1]
    assert (played[0][1][0], played[0][4][:2]) == (MYCROFT, [WATSON, SHERLOCK])


async def test_where_turns_are_pooled_nobody_speaks_again_before_all_have(alice: Person, quota: FakeQuota) -> None:
    quota.left = 100
    group = chat_pb2.Group(turn_order=chat_pb2.TURN_ORDER_POOLED, answers_max=1, seed=7)
    conversation = await gathered(alice, group)
    spoke = [speakers(await round_of(alice, conversation))[0] for _ in range(9)]
    assert [set(spoke[place : place + 3]) for place in (0, 3, 6)] == [set(CAST)] * 3


async def test_a_seed_is_drawn_where_none_is_given(alice: Person) -> None:
    names = [await gathered(alice) for _ in range(2)]
    found = [
        await alice.stub.GetConversation(chat_pb2.GetConversationRequest(name=name), metadata=alice.metadata)
        for name in names
    ]
    assert len({one.group.seed for one in found} - {0}) == 2


async def test_whom_the_person_names_answer_in_that_order(alice: Person, fake: FakeProvider) -> None:
    conversation = await gathered(alice, chat_pb2.Group(turn_order=MANUAL))
    events = await round_of(alice, conversation, speakers=[MYCROFT, SHERLOCK, MYCROFT])
    assert speakers(events) == [MYCROFT, SHERLOCK, MYCROFT]


@pytest.mark.parametrize("asked", [[], [WATSON, WATSON], ["characters/moriarty"], [*CAST, WATSON]])
async def test_speakers_that_cannot_be_are_refused_before_anything_is_kept(
    alice: Person, quota: FakeQuota, asked: list[str]
) -> None:
    conversation = await gathered(alice, chat_pb2.Group(turn_order=MANUAL))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await round_of(alice, conversation, speakers=asked)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert (await alice.messages(conversation), quota.holds) == ([], {})


async def test_a_repeated_request_streams_the_same_round_and_costs_once(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await gathered(alice)
    events = await round_of(alice, conversation, request_id=REQUEST)
    assert await round_of(alice, conversation, request_id=REQUEST) == events
    assert (len(fake.requests), len(quota.holds)) == (3, 3)


async def test_a_disconnect_does_not_end_a_round(alice: Person, fake: FakeProvider) -> None:
    conversation = await gathered(alice)
    fake.script(Behaviour(answer=["a", "b"], delay_ms=50), *words("Amazing!", "Hm."))
    async with aclosing(said_to(alice, conversation)) as stream:
        started = await anext(stream)
    events = await alice.watched(started.message)
    while following := answers(events)[-1].next_message:
        events += await alice.watched(following)
    assert (speakers(events), answers(events)) == (list(CAST), (await alice.messages(conversation))[1:])


async def test_a_round_can_be_watched_from_another_process(alice: Person, second: Replica, fake: FakeProvider) -> None:
    conversation = await gathered(alice, paused(1))
    fake.script(*words("Elementary.", "Amazing!", "Hm."))
    there = second.person()
    async with aclosing(said_to(alice, conversation)) as stream:
        sent = [await anext(stream) for _ in range(3)]
        following = sent[-1].finished.message.next_message
        # The next one has not begun.
        watched = asyncio.create_task(there.watched(following))
        sent += [event async for event in stream]
    last = await there.watched(answers(sent)[1].next_message)
    assert [without_delays(await watched), without_delays(last)] == logs(sent)[1:]


async def test_a_stream_of_a_whole_conversation_tells_the_whole_round(alice: Person) -> None:
    conversation = await gathered(alice)
    call = alice.stub.Converse(metadata=alice.metadata, timeout=CALL_SECONDS)
    await call.write(chat_pb2.ConverseRequest(place=1, open=conversation))
    await call.write(chat_pb2.ConverseRequest(place=2, send=chat_pb2.SendMessageRequest(text="Well?")))
    await call.done_writing()
    events = [told.event async for told in call if told.HasField("event")]
    assert speakers(events) == list(CAST)


async def test_nothing_else_can_be_said_before_a_round_has_ended(
    alice: Person, second: Replica, fake: FakeProvider
) -> None:
    conversation = await gathered(alice, paused())
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            if event.HasField("finished"):
                break
        for person in (alice, second.person()):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await round_of(person, conversation)
            assert reason(caught.value) == IN_PROGRESS
    await stop(second.person(), event.message)
    assert speakers(await round_of(second.person(), conversation, speakers=[WATSON])) == [WATSON]
