"""How a round of a group ends."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.conversation import State, next_id
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import (
    LIST,
    MANUAL,
    MYCROFT,
    SHERLOCK,
    WATSON,
    answers,
    gathered,
    logs,
    paused,
    reason,
    round_of,
    said_to,
    speakers,
    stop,
    words,
)
from tests.service.chat_svc.replica import WAIT_SECONDS, Lapse, Person, Replica, Surroundings, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

IN_PROGRESS = (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")
MISSING = (grpc.StatusCode.NOT_FOUND, "MESSAGE_NOT_FOUND")


async def test_a_stop_in_an_answer_ends_its_round(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary."), Behaviour(answer=["Ama", "zing"], stall_after=1))
    events = []
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            events.append(event)
            if event.delta.text == "Ama":
                assert (await stop(alice, event.message)).next_message == ""
    assert (speakers(events), events[-1].finished.reason) == ([SHERLOCK, WATSON], chat_pb2.FINISH_REASON_STOPPED)
    assert (len(fake.requests), quota.states()) == (2, [quota_pb2.HOLD_STATE_SETTLED] * 2)
    assert (await alice.messages(conversation))[-1].next_message == ""


async def test_a_stop_that_an_answer_outran_stops_the_next_one(
    alice: Person, first: Replica, fake: FakeProvider
) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary."), Behaviour(answer=["Ama", "zing"], stall_after=1))
    events = []
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            events.append(event)
            if event.delta.text == "Ama":
                ids = (UUID(one) for one in events[0].message.split("/")[1::2])
                ended = (await first.parts.answers.get("alice", *ids)).answer
                await first.parts.stopping.stop(replace(ended, state=State.STREAMING))
    assert (speakers(events), answers(events)[1].text) == ([SHERLOCK, WATSON], "Ama")


async def test_a_stop_of_an_answer_that_has_ended_stops_the_one_that_follows(alice: Person, fake: FakeProvider) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary."), Behaviour(answer=["Ama", "zing"], stall_after=1))
    events = []
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            events.append(event)
            if event.delta.text == "Ama":
                assert (await stop(alice, events[0].message)).text == "Elementary."
    assert (speakers(events), answers(events)[1].text) == ([SHERLOCK, WATSON], "Ama")
    assert events[-1].finished.reason == chat_pb2.FINISH_REASON_STOPPED


async def test_a_stop_that_two_answers_outran_stops_the_third(
    alice: Person, first: Replica, fake: FakeProvider
) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary.", "Amazing!"), Behaviour(answer=["H", "m"], stall_after=1))
    events = []
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            events.append(event)
            if event.delta.text == "H":
                ids = (UUID(one) for one in events[0].message.split("/")[1::2])
                ended = (await first.parts.answers.get("alice", *ids)).answer
                await first.parts.stopping.stop(replace(ended, state=State.STREAMING))
    assert (speakers(events), answers(events)[2].text) == ([SHERLOCK, WATSON, MYCROFT], "H")
    assert events[-1].finished.reason == chat_pb2.FINISH_REASON_STOPPED


async def test_a_stop_between_two_answers_ends_the_round(alice: Person, second: Replica, fake: FakeProvider) -> None:
    conversation = await gathered(alice, paused())
    events = []
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            events.append(event)
            if event.HasField("finished"):
                following = event.finished.message.next_message
                assert (await stop(second.person(), event.message)).next_message == ""
    assert speakers(events) == [SHERLOCK]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.watched(following)
    assert reason(caught.value) == MISSING


async def test_what_nobody_waits_for_any_more_does_not_begin(
    alice: Person, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await gathered(alice, paused(6))
    events = []
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            events.append(event)
            if event.HasField("finished"):
                await lapse()
    assert (speakers(events), answers(events)[0].next_message != "") == ([SHERLOCK], True)
    async with asyncio.timeout(WAIT_SECONDS):
        while (await alice.messages(conversation))[-1].next_message:
            await asyncio.sleep(0.05)
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED, quota_pb2.HOLD_STATE_RELEASED]
    assert (len(fake.requests), len(await alice.messages(conversation))) == (1, 2)


async def test_a_round_that_died_in_a_pause_keeps_nobody_waiting_until_it_is_paid(
    alice: Person, first: Replica, second: Replica, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await gathered(alice, paused())
    quota.settles.clear()
    async with aclosing(said_to(alice, conversation)) as stream:
        started = await anext(stream)
        quota.away = True
        quota.settles.set()
        async for event in stream:
            if event.HasField("finished"):
                break
        await first.kill()
    await lapse()
    await second.recovery.sweep()
    quota.away = False
    assert quota.states() == [quota_pb2.HOLD_STATE_HELD]
    there = second.person()
    _, answer = await there.messages(conversation)
    assert (answer.name, answer.next_message) == (started.message, "")
    assert speakers(await round_of(there, conversation, speakers=[WATSON])) == [WATSON]


async def test_a_round_ends_where_an_answer_failed(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await gathered(alice)
    fake.script(*words("Elementary."), Behaviour(answer=["a"], refuse_after=0))
    events = await round_of(alice, conversation)
    assert [kinds(log)[-1] for log in logs(events)] == ["finished", "failed"]
    assert [one.next_message for one in answers(events)] == [answers(events)[1].name, ""]
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED, quota_pb2.HOLD_STATE_RELEASED]


async def test_a_round_ends_when_the_credit_does(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await gathered(alice)
    quota.left = 2
    events = await round_of(alice, conversation)
    assert (speakers(events), quota.left) == ([SHERLOCK, WATSON], 0)
    parent, _, last = answers(events)[1].name.rpartition("/")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.watched(f"{parent}/{next_id(UUID(last))}")
    assert reason(caught.value) == MISSING
    assert (await alice.messages(conversation))[-1].next_message == ""
    quota.left = 1
    assert speakers(await round_of(alice, conversation)) == [SHERLOCK]


async def test_a_round_costs_no_more_than_the_group_lets_it(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.payer = ("credits", 3)
    conversation = await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=8))
    events = await round_of(alice, conversation)
    assert speakers(events) == [SHERLOCK, WATSON]
    assert [one.next_message for one in answers(events)] == [answers(events)[1].name, ""]
    assert [log[-1].finished.receipt.charged for log in logs(events)] == [3, 3]


async def test_an_answer_grows_no_further_than_its_round_may_cost(
    around: Surroundings, claude: Model, fake: FakeProvider
) -> None:
    async with replica(around, [replace(claude, tokens_per_turn=10)]) as running:
        alice = running.person()
        conversation = await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=2))
        fake.script(Behaviour(answer=["12345678"] * 20, delay_ms=5))
        events = await round_of(alice, conversation)
        assert (speakers(events), events[-1].finished.receipt.charged) == ([SHERLOCK], 2)
        assert events[-1].finished.reason == chat_pb2.FINISH_REASON_QUOTA


async def test_a_round_whose_process_died_between_two_answers_ends_by_itself(
    alice: Person, first: Replica, second: Replica, fake: FakeProvider, lapse: Lapse
) -> None:
    conversation = await gathered(alice, paused())
    stream = said_to(alice, conversation)
    async for event in stream:
        if event.HasField("finished"):
            break
    await first.kill()
    there = second.person()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await round_of(there, conversation)
    assert reason(caught.value) == IN_PROGRESS
    await lapse()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await there.watched(event.finished.message.next_message)
    assert reason(caught.value) == MISSING
    async with aclosing(said_to(there, conversation, speakers=[WATSON])) as events:
        assert (await anext(events)).HasField("started")


async def test_an_estimate_is_of_the_whole_round(alice: Person, quota: FakeQuota) -> None:
    conversation = await gathered(alice)
    capped = await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=2))
    manual = await gathered(alice, chat_pb2.Group(turn_order=MANUAL))
    estimates = [
        await alice.stub.EstimateTurn(chat_pb2.EstimateTurnRequest(parent=name, text="Well?"), metadata=alice.metadata)
        for name in (conversation, capped, manual)
    ]
    assert [(one.likely, one.maximum, one.affordable) for one in estimates] == [
        (3, 3, True),
        (2, 2, True),
        (1, 1, True),
    ]
    quota.left = 2
    request = chat_pb2.EstimateTurnRequest(parent=conversation, text="Well?")
    assert not (await alice.stub.EstimateTurn(request, metadata=alice.metadata)).affordable


async def test_in_a_pause_a_conversation_can_be_deleted_once_its_round_is_stopped(
    alice: Person, fake: FakeProvider
) -> None:
    conversation = await gathered(alice, paused())
    request = chat_pb2.DeleteConversationRequest(name=conversation)
    async with aclosing(said_to(alice, conversation)) as stream:
        async for event in stream:
            if event.HasField("finished"):
                break
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await alice.stub.DeleteConversation(request, metadata=alice.metadata)
        assert reason(caught.value) == IN_PROGRESS
        await stop(alice, event.message)
        await alice.stub.DeleteConversation(request, metadata=alice.metadata)
        assert [event async for event in stream] == []
    assert len(fake.requests) == 1


async def test_an_answer_that_followed_and_was_deleted_leaves_the_conversation_idle(
    alice: Person, fake: FakeProvider
) -> None:
    conversation = await gathered(alice)
    events = await round_of(alice, conversation, speakers=[SHERLOCK, WATSON])
    request = chat_pb2.DeleteMessageRequest(name=answers(events)[1].name)
    await alice.stub.DeleteMessage(request, metadata=alice.metadata)
    assert speakers(await round_of(alice, conversation, speakers=[MYCROFT])) == [MYCROFT]
