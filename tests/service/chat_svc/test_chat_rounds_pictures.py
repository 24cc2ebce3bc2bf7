"""What a person shows to a group, everybody who answers sees."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import grpc
import pytest

from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.answering import handing_over
from services.chat_svc.domain.model import Capability, Class, Model
from services.chat_svc.store import answers as kept_answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import CAST, WATSON, answers, gathered, logs, reason, speakers
from tests.service.chat_svc.pictures import owner, picture, showing
from tests.service.chat_svc.replica import Events, Person, Replica, Surroundings, events_of, replica
from tests.service.chat_svc.siblings import FakeQuota

VISION = frozenset({Capability.VISION})
NOT_SEEN = (grpc.StatusCode.FAILED_PRECONDITION, "NO_MODEL_FOR_IMAGES")
# Named, it would go first.
BLIND = chat_pb2.ModelChoice(model="gpt")


@pytest.fixture
def seeing(claude: Model) -> Model:
    return replace(claude, capabilities=VISION | {Capability.PREFILL})


@pytest.fixture
async def first(around: Surroundings, seeing: Model, gpt: Model) -> AsyncIterator[Replica]:
    """A process one of whose models sees."""
    async with replica(around, [seeing, gpt]) as first:
        yield first


async def shown(process: Replica) -> str:
    return (await owner(process).keep(picture())).name


def models(events: Events) -> list[str]:
    return [log[0].started.model for log in logs(events)]


async def test_every_speaker_sees_what_is_shown_and_it_costs_once(
    first: Replica, alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    events = await showing(alice, await gathered(alice), [await shown(first)], choice=BLIND)
    assert (speakers(events), models(events)) == (list(CAST), ["claude"] * 3)
    assert [len(request.images) for request in fake.requests] == [1, 1, 1]
    assert quota.charges() == [{"chat": 1, "image_recognition": 1}, {"chat": 1}, {"chat": 1}]


async def test_a_round_after_that_needs_nobody_who_sees(first: Replica, alice: Person, quota: FakeQuota) -> None:
    quota.left = 6
    conversation = await gathered(alice)
    await showing(alice, conversation, [await shown(first)])
    assert models(await showing(alice, conversation, [], choice=BLIND)) == ["gpt"] * 3


async def test_where_no_model_sees_no_round_begins(around: Surroundings, gpt: Model, quota: FakeQuota) -> None:
    async with replica(around, [gpt]) as blind:
        alice = blind.person()
        conversation = await gathered(alice)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await showing(alice, conversation, [await shown(blind)])
        assert reason(caught.value) == NOT_SEEN
        assert (await alice.messages(conversation), quota.holds) == ([], {})


async def test_where_only_a_premium_model_sees_every_speaker_takes_a_premium_turn(
    around: Surroundings, seeing: Model, gpt: Model, quota: FakeQuota
) -> None:
    quota.others["chat_premium"] = 3
    async with replica(around, [replace(seeing, model_class=Class.PREMIUM), gpt]) as process:
        alice = process.person()
        events = await showing(alice, await gathered(alice), [await shown(process)])
    assert models(events) == ["claude"] * 3
    assert quota.charges() == [{"chat_premium": 1, "image_recognition": 1}, {"chat_premium": 1}, {"chat_premium": 1}]


async def test_another_answer_in_a_round_is_by_one_who_sees(
    first: Replica, alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    events = await showing(alice, await gathered(alice), [await shown(first)])
    request = chat_pb2.RegenerateMessageRequest(name=answers(events)[1].name, choice=BLIND)
    again = [event async for event in events_of(alice.stub.RegenerateMessage(request, metadata=alice.metadata))]
    assert (speakers(again), models(again)) == (list(CAST[1:]), ["claude"] * 2)
    assert [len(one.images) for one in fake.requests] == [1] * 5


async def test_another_answer_that_nobody_can_give_is_refused_before_anything_is_held(
    around: Surroundings, seeing: Model, gpt: Model, quota: FakeQuota
) -> None:
    async with replica(around, [seeing, gpt]) as process:
        alice = process.person()
        events = await showing(alice, await gathered(alice), [await shown(process)])
    held = len(quota.holds)
    async with replica(around, [gpt]) as blind:
        alice = blind.person()
        request = chat_pb2.RegenerateMessageRequest(name=answers(events)[1].name)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anext(alice.stub.RegenerateMessage(request, metadata=alice.metadata).__aiter__())
        assert (reason(caught.value), len(quota.holds)) == (NOT_SEEN, held)


async def test_who_goes_on_elsewhere_sees_it_too(
    around: Surroundings, seeing: Model, gpt: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However late whoever takes the answer looks.
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", 20.0)
    monkeypatch.setattr(kept_answers, "OFFER_SECONDS", 30.0)
    fake.script(Behaviour(answer=["Ama", "zing"], stall_after=1))
    async with replica(around, [seeing, gpt]) as staying:
        async with replica(around, [seeing, gpt]) as ending:
            alice = ending.person()
            request = chat_pb2.SendMessageRequest(
                parent=await gathered(alice, cast=CAST[:2]), text="Look!", media=[await shown(ending)], choice=BLIND
            )
            async with aclosing(events_of(alice.stub.SendMessage(request, metadata=alice.metadata))) as stream:
                begun = [await anext(stream) for _ in range(2)]
        there = staying.person()
        first = await there.watched(begun[0].message)
        second = await there.watched(answers(first)[0].next_message)
        assert (speakers(second), models(second)) == ([WATSON], ["claude"])
    assert [len(one.images) for one in fake.requests] == [1, 1, 1]
