"""A turn on one replica: its events, its price, its failures."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.conversation import answer_id
from services.chat_svc.domain.model import Limits, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import stop
from tests.service.chat_svc.replica import Lapse, Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import failed, failure, kinds, numbers, said
from tests.service.chat_svc.siblings import ONE_TURN, SPENT, FakeQuota

REQUEST = "6F1D2C3E-0000-4000-8000-000000000001"

UNAVAILABLE = chat_pb2.FAILURE_REASON_MODEL_UNAVAILABLE
CUT = chat_pb2.FAILURE_REASON_MODEL_CUT
REFUSED = chat_pb2.FAILURE_REASON_REFUSED


def _reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    return error.code(), _detail(error, error_details_pb2.ErrorInfo()).reason


def _detail(error: grpc.aio.AioRpcError, detail: Any) -> Any:
    status = rpc_status.from_call(cast("Any", error))
    assert any(packed.Unpack(detail) for packed in status.details)
    return detail


async def test_a_turn_streams_is_kept_and_is_paid_for(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Elementary, ", "my dear."], usage=(21, 5)))
    events = await alice.turn(conversation)
    assert (numbers(events), kinds(events)) == ([1, 2, 3, 4], ["started", "delta", "delta", "finished"])
    question, answer = await alice.messages(conversation)
    assert (events[0].started.user_message, events[0].started.model) == (question, "claude")
    usage = chat_pb2.TokenUsage(input_tokens=21, output_tokens=5)
    finished = events[-1].finished
    took = finished.receipt.attempts[0].first_word_seconds
    attempt = chat_pb2.Attempt(model="claude", usage=usage, first_word_seconds=took)
    assert finished == chat_pb2.Finished(
        reason=chat_pb2.FINISH_REASON_STOP,
        message=answer,
        receipt=chat_pb2.Receipt(meter="chat", charged=1, remaining=4, usage=usage, attempts=[attempt]),
    )
    assert took > 0
    assert (question.text, question.role) == ("Who are you?", chat_pb2.ROLE_USER)
    assert (answer.text, answer.state, answer.model) == (
        "Elementary, my dear.",
        chat_pb2.MESSAGE_STATE_COMPLETE,
        "claude",
    )
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]
    assert [(list(one.amounts), one.usage) for one in quota.settled] == [
        ([ONE_TURN], quota_pb2.Usage(resource=answer.name, model="claude", input_tokens=21, output_tokens=5))
    ]


async def test_the_model_hears_who_it_is_and_what_was_said(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Holmes."]))
    await alice.turn(conversation)
    await alice.turn(conversation, "And now?")
    first, second = (request.body for request in fake.requests)
    assert first["system"] == second["system"]
    assert "Sherlock Holmes" in first["system"]
    assert second["messages"] == [
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "Holmes."},
        {"role": "user", "content": "And now?"},
    ]


async def test_a_disconnect_does_not_stop_an_answer(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["word "] * 20, delay_ms=10))
    async with aclosing(alice.sending(conversation)) as stream:
        begun = [await anext(stream) for _ in range(3)]
    rest = await alice.watched(begun[0].message, after=3)
    assert numbers(begun + rest) == list(range(1, 23))
    assert rest[-1].finished.message.text == said(begun + rest) == "word " * 20
    assert await alice.watched(begun[0].message) == begun + rest


async def test_two_watchers_see_the_same(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["word "] * 10, delay_ms=10))
    stream = alice.sending(conversation)
    started = await anext(stream)
    async with asyncio.TaskGroup() as tasks:
        watchers = [tasks.create_task(alice.watched(started.message)) for _ in range(2)]
        sent = [started] + [event async for event in stream]
    assert [watcher.result() for watcher in watchers] == [sent, sent]


async def test_a_message_that_is_streaming_shows_its_text_so_far(alice: Person, fake: FakeProvider) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(alice.sending(conversation)) as stream:
        _, delta = [await anext(stream) for _ in range(2)]
        _, answer = await alice.messages(conversation)
        assert (answer.text, answer.state) == (delta.delta.text, chat_pb2.MESSAGE_STATE_STREAMING)


async def test_a_turn_is_charged_to_the_meter_that_it_was_held_on(alice: Person, quota: FakeQuota) -> None:
    quota.payer = ("credits", 3)
    events = await alice.turn(await alice.conversation())
    receipt = events[-1].finished.receipt
    assert (receipt.meter, receipt.charged) == ("credits", 3)
    assert [list(one.amounts) for one in quota.settled] == [[quota_pb2.Amount(meter="credits", amount=3)]]


async def test_an_empty_meter_ends_the_call_before_a_model_is_asked(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    quota.left = 0
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation)
    info = _detail(caught.value, error_details_pb2.ErrorInfo())
    quota_failure = _detail(caught.value, error_details_pb2.QuotaFailure())
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "All used.")
    assert (info.reason, dict(info.metadata)) == ("QUOTA_EXHAUSTED", {"meter": "chat", "plan": "plans/free"})
    assert quota_failure.violations[0].subject == "users/alice/meters/chat"
    assert _detail(caught.value, quota_pb2.Decision()) == SPENT
    assert fake.requests == []
    assert await alice.messages(conversation) == []


@pytest.mark.parametrize(
    ("behaviour", "ending"),
    [
        (Behaviour(status=429), failed(UNAVAILABLE, 0, "")),
        (Behaviour(status=529), failed(UNAVAILABLE, 0, "")),
        (Behaviour(status=500), failed(UNAVAILABLE, 0, "")),
        (Behaviour(status=401), failed(UNAVAILABLE, 0, "")),
        (Behaviour(status=400), failed(UNAVAILABLE, 0, "")),
        (Behaviour(answer=[]), failed(UNAVAILABLE, 0, "")),
        (Behaviour(answer=["a", "b"], cut_after=0), failed(UNAVAILABLE, 0, "")),
        (Behaviour(answer=["a", "b"], cut_after=1), failed(CUT, 0, "a")),
        (Behaviour(answer=["a", "b"], cut_after=2), failed(CUT, 0, "ab")),
        (Behaviour(answer=["a", "b"], malformed_after=1), failed(CUT, 0, "a")),
        (Behaviour(answer=["a", "b"], refuse_after=0), failed(REFUSED, 0, "")),
        (Behaviour(answer=["a", "b"], refuse_after=1), failed(REFUSED, 0, "a")),
    ],
)
@pytest.mark.parametrize("wire", ["claude", "gpt"])
async def test_a_failure_of_the_model_is_the_last_event_and_costs_nothing(
    around: Surroundings,
    fake: FakeProvider,
    quota: FakeQuota,
    request: pytest.FixtureRequest,
    wire: str,
    behaviour: Behaviour,
    ending: tuple[int, int, str, str],
) -> None:
    async with replica(around, [request.getfixturevalue(wire)]) as running:
        alice = running.person()
        conversation = await alice.conversation()
        fake.otherwise = behaviour
        events = await alice.turn(conversation)
        fake.otherwise = Behaviour()
        assert failure(events) == ending
        assert kinds(events) == ["started", *["delta"] * len(ending[2]), "failed"]
        assert quota.states() == [quota_pb2.HOLD_STATE_RELEASED]
        assert await alice.watched(events[0].message) == events
        assert kinds(await alice.turn(conversation))[-1] == "finished"


@pytest.mark.parametrize(("pieces", "ending"), [(0, failed(UNAVAILABLE, 0, "")), (1, failed(CUT, 0, "a"))])
async def test_a_model_that_falls_silent_is_given_up(
    around: Surroundings, claude: Model, fake: FakeProvider, pieces: int, ending: tuple[int, int, str, str]
) -> None:
    limits = Limits(60 if pieces else 0.5, 0.5)
    async with replica(around, [replace(claude, limits=limits)], idle_seconds=0.5) as running:
        alice = running.person()
        fake.script(Behaviour(answer=["a", "b"], stall_after=pieces))
        assert failure(await alice.turn(await alice.conversation())) == ending
        await eventually(lambda: fake.open_streams == 0)


async def test_before_the_first_word_another_model_takes_over(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [claude, gpt]) as running:
        alice = running.person()
        conversation = await alice.conversation()
        fake.script(Behaviour(status=529), Behaviour(answer=["Hello."]))
        events = await alice.turn(conversation)
        assert (events[0].started.model, events[-1].finished.message.model) == ("gpt", "gpt")
        assert [one.first_word_seconds > 0 for one in events[-1].finished.receipt.attempts] == [False, True]
        fake.script(Behaviour(answer=["a"], refuse_after=0))
        assert kinds(await alice.turn(conversation)) == ["started", "failed"]
        # Who spoke last in a conversation is asked first, and nobody helps against a refusal.
        paths = [request.path for request in fake.requests]
        assert paths == ["/v1/messages", "/v1/chat/completions", "/v1/chat/completions"]


async def test_an_answer_that_reached_its_length_limit_says_so(alice: Person, fake: FakeProvider) -> None:
    fake.script(Behaviour(answer=["a"], stop="max_tokens"))
    events = await alice.turn(await alice.conversation())
    assert events[-1].finished.reason == chat_pb2.FINISH_REASON_LENGTH


async def test_usage_that_no_one_reports_is_estimated(around: Surroundings, gpt: Model, fake: FakeProvider) -> None:
    async with replica(around, [gpt]) as running:
        alice = running.person()
        fake.script(Behaviour(answer=["a" * 40], usage=None))
        usage = (await alice.turn(await alice.conversation()))[-1].finished.receipt.usage
        assert (usage.output_tokens, usage.estimated, usage.input_tokens > 0) == (10, True, True)


async def test_a_repeated_request_streams_the_same_answer_and_costs_once(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    first = await alice.turn(conversation, request_id=REQUEST)
    assert await alice.turn(conversation, request_id=REQUEST.lower()) == first
    assert (len(fake.requests), len(quota.holds)) == (1, 1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation, "Something else", request_id=REQUEST)
    assert _reason(caught.value) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_twins_of_a_request_share_one_answer(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["word "] * 10, delay_ms=10))
    async with asyncio.TaskGroup() as tasks:
        twins = [tasks.create_task(alice.turn(conversation, request_id=REQUEST)) for _ in range(4)]
    assert [twin.result() for twin in twins] == [twins[0].result()] * 4
    assert (len(fake.requests), quota.states()) == (1, [quota_pb2.HOLD_STATE_SETTLED])


async def test_a_character_answers_one_message_at_a_time(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    stream = alice.sending(conversation)
    begun = [await anext(stream)]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation, request_id=REQUEST)
    assert _reason(caught.value) == (grpc.StatusCode.ABORTED, "ANSWER_IN_PROGRESS")
    await stop(alice, begun[0].message)
    assert kinds(begun + [event async for event in stream])[-1] == "finished"
    assert kinds(await alice.turn(conversation, request_id=REQUEST))[-1] == "finished"
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED] * 2


async def test_of_many_at_once_one_begins_and_the_others_give_their_holds_back(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))

    async def outcome() -> str:
        try:
            return kinds(await alice.turn(conversation))[-1]
        except grpc.aio.AioRpcError as error:
            return _reason(error)[1]

    async with asyncio.TaskGroup() as tasks:
        outcomes = [tasks.create_task(outcome()) for _ in range(4)]
        await eventually(lambda: sum(one.done() for one in outcomes) == 3)
        await stop(alice, (await alice.messages(conversation))[1].name)
    assert sorted(one.result() for one in outcomes) == ["ANSWER_IN_PROGRESS"] * 3 + ["finished"]
    assert (quota.left, len(quota.settled)) == (4, 1)


async def test_credit_that_cannot_be_asked_for_is_an_outage(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    quota.away = True
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation)
    assert _reason(caught.value) == (grpc.StatusCode.UNAVAILABLE, "SIBLING_UNAVAILABLE")
    assert fake.requests == []


async def test_a_ledger_with_too_much_to_do_says_when_to_come_back(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    quota.busy = True
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation)
    assert _reason(caught.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert _detail(caught.value, error_details_pb2.RetryInfo()).retry_delay.ToMilliseconds() == 500
    assert fake.requests == []


async def test_a_request_whose_hold_was_given_back_takes_another(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    answer = answer_id(UUID(conversation.removeprefix("conversations/")), REQUEST, UUID(int=0))
    given_back = quota_pb2.Hold(name=f"users/alice/holds/{answer}", state=quota_pb2.HOLD_STATE_RELEASED)
    quota.holds[given_back.name] = given_back
    assert kinds(await alice.turn(conversation, request_id=REQUEST))[-1] == "finished"
    assert quota.states() == [quota_pb2.HOLD_STATE_RELEASED, quota_pb2.HOLD_STATE_SETTLED]


async def test_a_hold_that_could_not_be_settled_is_settled_later(
    alice: Person, first: Replica, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await alice.conversation()
    quota.settles.clear()
    stream = alice.sending(conversation)
    begun = [await anext(stream)]
    quota.away = True
    quota.settles.set()
    events = begun + [event async for event in stream]
    assert kinds(events)[-1] == "finished"
    await lapse()
    await first.recovery.sweep()
    assert quota.states() == [quota_pb2.HOLD_STATE_HELD]
    quota.away = False
    await lapse()
    await first.recovery.sweep()
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]
    assert quota.settled[0].usage.resource == events[0].message
