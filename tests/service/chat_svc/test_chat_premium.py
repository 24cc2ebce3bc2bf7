"""Standard models first; a premium turn where one is chosen, and where nobody else can be asked."""

from collections.abc import AsyncIterator
from dataclasses import replace

import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Capability, Class, Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import LIST, SHERLOCK, WATSON, answers, gathered, round_of
from tests.service.chat_svc.pictures import owner, picture, showing
from tests.service.chat_svc.replica import Person, Replica, Surroundings, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota
from tests.service.chat_svc.told import titled

VISION = frozenset({Capability.VISION})
STANDARD, PREMIUM = "claude", "gpt"
# It is left alone from now on: for minutes, or for as long as it says.
RESTS = [Behaviour(status=401), Behaviour(status=429, retry_after_seconds=3_000)]
AWAY = (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")


@pytest.fixture
async def first(around: Surroundings, claude: Model, gpt: Model, quota: FakeQuota) -> AsyncIterator[Replica]:
    """A process with a model of each class, and a person with three premium turns."""
    quota.others["chat_premium"] = 3
    models = [claude, replace(gpt, model_class=Class.PREMIUM)]
    async with replica(around, [replace(one, capabilities=VISION) for one in models]) as first:
        yield first


@pytest.fixture
async def conversation(first: Replica, alice: Person) -> str:
    return await titled(alice)


async def rested(person: Person, conversation: str, fake: FakeProvider, *behaviours: Behaviour) -> None:
    """Whoever is asked does so, and rests after this: the standard model first."""
    fake.script(*behaviours)
    assert kinds(await person.turn(conversation))[-1] == "failed"


async def estimated(person: Person, conversation: str) -> tuple[str, str]:
    """The model that would be asked, and the meter that would pay."""
    request = chat_pb2.EstimateTurnRequest(parent=conversation, text="Who?")
    estimate = await person.stub.EstimateTurn(request, metadata=person.metadata)
    return estimate.model, estimate.meter


async def test_while_a_standard_model_is_well_no_premium_turn_is_taken(
    alice: Person, conversation: str, fake: FakeProvider, quota: FakeQuota
) -> None:
    assert await estimated(alice, conversation) == (STANDARD, "chat")
    fake.script(Behaviour(answer=["Yes."], usage=(1, 1)))
    assert (await alice.turn(conversation))[0].started.model == STANDARD
    assert quota.charges() == [{"chat": 1}]


@pytest.mark.parametrize("behaviour", RESTS, ids=["for minutes", "as told"])
async def test_where_all_standard_models_rest_a_premium_turn_is_taken(
    alice: Person, conversation: str, fake: FakeProvider, quota: FakeQuota, behaviour: Behaviour
) -> None:
    await rested(alice, conversation, fake, behaviour)
    assert await estimated(alice, conversation) == (PREMIUM, "chat_premium")
    events = await alice.turn(conversation)
    assert (events[0].started.model, events[-1].finished.receipt.meter) == (PREMIUM, "chat_premium")
    assert (quota.charges(), quota.left, quota.others["chat_premium"]) == ([{"chat_premium": 1}], 5, 2)


async def test_without_a_premium_turn_one_waits_for_the_standard_models(
    alice: Person, conversation: str, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.others["chat_premium"] = 0
    await rested(alice, conversation, fake, RESTS[1])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation)
    assert (caught.value.code(), error_info(caught.value).reason) == AWAY
    assert (quota.states(), quota.left) == ([quota_pb2.HOLD_STATE_RELEASED] * 2, 5)


async def test_where_premium_models_rest_too_the_turn_is_a_standard_one(
    alice: Person, first: Replica, conversation: str, fake: FakeProvider, quota: FakeQuota
) -> None:
    await rested(alice, conversation, fake, RESTS[0])
    # The premium model, and where nobody else is left the one that rests.
    await rested(alice, conversation, fake, RESTS[1], RESTS[0])
    assert (await alice.turn(conversation))[0].started.model == STANDARD
    assert (quota.charges(), quota.others["chat_premium"]) == ([{"chat": 1}], 3)


async def test_what_is_shown_is_seen_by_a_premium_model_where_the_standard_one_rests(
    alice: Person, first: Replica, conversation: str, fake: FakeProvider, quota: FakeQuota
) -> None:
    await rested(alice, conversation, fake, RESTS[1])
    media = (await owner(first).keep(picture())).name
    assert (await showing(alice, conversation, [media]))[0].started.model == PREMIUM
    assert quota.charges() == [{"chat_premium": 1, "image_recognition": 1}]


async def test_within_a_round_each_turn_is_of_the_class_that_can_be_asked_then(
    alice: Person, first: Replica, fake: FakeProvider, quota: FakeQuota
) -> None:
    group = chat_pb2.Group(turn_order=LIST)
    conversation = await gathered(alice, group, [SHERLOCK, WATSON], display_name="Baker Street")
    await rested(alice, conversation, fake, RESTS[1])
    assert [one.model for one in answers(await round_of(alice, conversation))] == [PREMIUM] * 2
    assert quota.charges() == [{"chat_premium": 1}] * 2
