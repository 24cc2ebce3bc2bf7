"""Whoever asks why a model answers is told just where one asks why, whatever became of the answer."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.model import Class, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import CALL_SECONDS, Events, Person, Replica, Surroundings, events_of, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.told import in_time, titled

ASKED, CLASS = chat_pb2.SKIP_REASON_UNSPECIFIED, chat_pb2.SKIP_REASON_CLASS
CONTEXT, FAILED = chat_pb2.SKIP_REASON_CONTEXT, chat_pb2.SKIP_REASON_FAILED
CLAUDE = chat_pb2.ModelChoice(model="claude")


@pytest.fixture
async def first(around: Surroundings, claude: Model, gpt: Model) -> AsyncIterator[Replica]:
    """A process with a standard and a premium model."""
    async with replica(around, [claude, replace(gpt, model_class=Class.PREMIUM)]) as first:
        yield first


def request(parent: str, *, explain: bool = True) -> chat_pb2.SendMessageRequest:
    return chat_pb2.SendMessageRequest(parent=parent, text="Who?", choice=CLAUDE, explain=explain)


async def asked(person: Person, request: chat_pb2.SendMessageRequest) -> Events:
    call = person.stub.SendMessage(request, metadata=person.metadata, timeout=CALL_SECONDS)
    return [event async for event in events_of(call)]


def decided(events: Events) -> "dict[str, chat_pb2.SkipReason]":
    """What the first event says of each model."""
    return {one.model: one.skipped for one in events[0].started.decision.candidates}


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour(status=401), FAILED),
        (Behaviour(error="context_too_long"), CONTEXT),
        (Behaviour(error="content_filter"), ASKED),
    ],
    ids=["failed", "too small", "refused"],
)
async def test_an_answer_that_fails_before_its_first_word_says_who_was_there(
    first: Replica, alice: Person, second: Replica, fake: FakeProvider, behaviour: Behaviour, reason: int
) -> None:
    fake.script(behaviour)
    events = await asked(alice, request(await titled(alice)))
    assert kinds(events) == ["started", "failed"]
    assert (events[0].started.model, decided(events)) == ("claude", {"claude": reason, "gpt": CLASS})
    for person in (alice, second.person("alice")):
        assert await person.watched(events[0].message) == events
        assert await person.watched(events[0].message, after=1) == events[1:]


async def test_an_answer_that_is_stopped_before_its_first_word_says_who_was_asked(
    first: Replica, alice: Person, second: Replica, fake: FakeProvider
) -> None:
    conversation = await titled(alice)
    fake.script(Behaviour(silent=True))
    call = alice.stub.SendMessage(request(conversation), metadata=alice.metadata, timeout=CALL_SECONDS)

    async def is_asked() -> bool:
        return len(fake.requests) == 1

    await in_time(is_asked)
    _, answer = await alice.messages(conversation)
    await alice.stub.StopMessage(chat_pb2.StopMessageRequest(name=answer.name), metadata=alice.metadata)
    events = [event async for event in events_of(call)]
    assert (kinds(events), events[-1].finished.reason) == (["started", "finished"], chat_pb2.FINISH_REASON_STOPPED)
    assert (list(events[-1].finished.receipt.attempts), events[-1].finished.receipt.charged) == ([], 0)
    assert decided(events) == {"claude": ASKED, "gpt": CLASS}
    assert await second.person("alice").watched(answer.name) == events


async def test_who_does_not_ask_why_is_not_told(first: Replica, alice: Person, fake: FakeProvider) -> None:
    conversation = await titled(alice)
    fake.script(Behaviour(status=400))
    failed = await asked(alice, request(conversation, explain=False))
    finished = await asked(alice, request(conversation, explain=False))
    assert [(kinds(events)[-1], decided(events)) for events in (failed, finished)] == [("failed", {}), ("finished", {})]


@pytest.mark.parametrize("explain", [True, False])
async def test_an_answer_beside_an_earlier_one_says_why_its_model_was_asked(
    first: Replica, alice: Person, *, explain: bool
) -> None:
    conversation = await titled(alice)
    await alice.turn(conversation)
    question, answer = await alice.messages(conversation)
    again = chat_pb2.RegenerateMessageRequest(name=answer.name, choice=CLAUDE, explain=explain)
    other = chat_pb2.RewriteMessageRequest(name=question.name, text="What?", choice=CLAUDE, explain=explain)
    for begun in (
        lambda: alice.stub.RegenerateMessage(again, metadata=alice.metadata, timeout=CALL_SECONDS),
        lambda: alice.stub.RewriteMessage(other, metadata=alice.metadata, timeout=CALL_SECONDS),
    ):
        events = [event async for event in events_of(begun())]
        assert kinds(events)[-1] == "finished"
        assert decided(events) == ({"claude": ASKED, "gpt": CLASS} if explain else {})
        assert await alice.watched(events[0].message) == events
