"""What EstimateTurn says of a turn, and what the turn then is."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import grpc
import pytest

from runtime import redis
from runtime.events.envelope import ENVELOPE, envelope, stream
from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from scenemesh.events.v1 import quota_pb2 as events
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Capability, Class, Model
from services.chat_svc.parts import working
from tests.service.chat_svc.groups import LIST, gathered
from tests.service.chat_svc.pictures import opened, owner, picture, showing
from tests.service.chat_svc.replica import WAIT_SECONDS, Person, Replica, Surroundings, replica
from tests.service.chat_svc.siblings import Context, FakeQuota

VISION = frozenset({Capability.VISION})


class CountingQuota(FakeQuota):
    """Counts how often it is asked what somebody has left."""

    asked = 0

    async def GetQuota(self, request: quota_pb2.GetQuotaRequest, context: Context) -> quota_pb2.Quota:
        self.asked += 1
        return await super().GetQuota(request, context)


@pytest.fixture
def quota() -> CountingQuota:
    return CountingQuota()  # type: ignore[abstract]


@pytest.fixture
async def seeing(around: Surroundings, claude: Model) -> AsyncIterator[Replica]:
    """A process whose only model sees."""
    async with replica(around, [replace(claude, capabilities=VISION)]) as seeing:
        yield seeing


async def estimated(
    person: Person, parent: str, images: int = 0, text: str = "Look!", model: str = ""
) -> chat_pb2.TurnEstimate:
    choice = chat_pb2.ModelChoice(model=model)
    request = chat_pb2.EstimateTurnRequest(parent=parent, text=text, choice=choice, images=images)
    return await person.stub.EstimateTurn(request, metadata=person.metadata)


def told(estimate: chat_pb2.TurnEstimate) -> tuple[tuple[str, int], tuple[str, int], bool]:
    turn, shown = (estimate.meter, estimate.maximum), (estimate.images_meter, estimate.images)
    return turn, shown, estimate.affordable


@pytest.mark.parametrize(
    ("turn", "payer", "shown"),
    [
        (("chat", 1), ("image_recognition", 1), ("image_recognition", 2)),
        (("chat", 1), ("credits", 2), ("credits", 4)),
        (("credits", 3), ("image_recognition", 1), ("image_recognition", 2)),
        (("credits", 3), ("credits", 2), ("credits", 4)),
    ],
)
async def test_what_images_cost_is_said_before_and_is_what_they_cost(
    seeing: Replica,
    quota: FakeQuota,
    turn: tuple[str, int],
    payer: tuple[str, int],
    shown: tuple[str, int],
) -> None:
    quota.payer, quota.payers["image_recognition"] = turn, payer
    alice = seeing.person()
    parent = await opened(alice)
    assert told(await estimated(alice, parent, images=2)) == (turn, shown, True)
    media = [(await owner(seeing).keep(picture(colour=colour))).name for colour in ("red", "blue")]
    await showing(alice, parent, media)
    costs = dict([turn, shown]) if turn[0] != shown[0] else {"credits": 7}
    assert quota.charges() == [costs]


async def test_credits_must_be_enough_for_the_turn_and_its_images(seeing: Replica, quota: FakeQuota) -> None:
    quota.payer, quota.payers["image_recognition"] = ("credits", 3), ("credits", 2)
    alice = seeing.person()
    parent = await opened(alice)
    affordable = []
    for quota.left in (2, 3):
        affordable.append([(await estimated(alice, parent, images)).affordable for images in (0, 2)])
    assert affordable == [[True, False], [True, True]]


async def test_without_images_nothing_is_said_of_them(seeing: Replica) -> None:
    alice = seeing.person()
    assert told(await estimated(alice, await opened(alice))) == (("chat", 1), ("", 0), True)


async def test_an_image_counts_as_much_as_one_can_where_it_is_not_known(seeing: Replica) -> None:
    alice = seeing.person()
    parent = await opened(alice)
    tokens = [(await estimated(alice, parent, images)).prompt_tokens for images in (0, 1)]
    assert 1_600 <= tokens[1] - tokens[0] < 1_700


async def test_the_most_is_that_of_models_which_see_what_is_shown(
    around: Surroundings, claude: Model, gpt: Model
) -> None:
    models = [replace(claude, capabilities=VISION, output_tokens_max=1_000), replace(gpt, output_tokens_max=4_000)]
    async with replica(around, models) as running:
        alice = running.person()
        parent = await opened(alice)
        most = [(await estimated(alice, parent, images)).maximum for images in (0, 1)]
    assert most == [4, 1]


async def test_the_images_of_a_round_cost_once(seeing: Replica) -> None:
    alice = seeing.person()
    parent = await gathered(alice, chat_pb2.Group(turn_order=LIST), display_name="At home")
    assert told(await estimated(alice, parent, images=2)) == (("chat", 3), ("image_recognition", 2), True)


async def test_the_first_turn_of_a_round_is_made_whatever_it_costs(seeing: Replica, quota: FakeQuota) -> None:
    quota.payer = ("credits", 3)
    alice = seeing.person()
    most = []
    for units in (1, 4, 6, 0):
        group = chat_pb2.Group(turn_order=LIST, credits_max=units)
        parent = await gathered(alice, group, display_name="At home")
        most.append((await estimated(alice, parent)).maximum)
    # Nothing said means as many units as there may be answers.
    assert most == [3, 3, 6, 3]


async def test_where_only_a_premium_model_sees_a_premium_turn_is_told(
    around: Surroundings, claude: Model, gpt: Model, quota: FakeQuota
) -> None:
    quota.others["chat_premium"] = 1
    models = [replace(claude, capabilities=VISION, model_class=Class.PREMIUM), gpt]
    async with replica(around, models) as running:
        alice = running.person()
        parent = await opened(alice)
        told = [(one.meter, one.model) for one in [await estimated(alice, parent, images) for images in (0, 1)]]
    assert told == [("chat", "gpt"), ("chat_premium", "claude")]


async def test_what_no_model_could_answer_is_refused_as_the_turn_would_be(around: Surroundings, claude: Model) -> None:
    refusals, long = [], "word " * 1_000
    async with replica(around, [replace(claude, context_tokens=1_000)]) as running:
        alice = running.person()
        parent = await opened(alice)
        image, words = partial(estimated, images=1), partial(estimated, text=long)
        for ask in (image, words, partial(Person.turn, text=long)):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask(alice, parent)
            refusals.append((refused.value.code(), error_info(refused.value).reason))
    precondition = grpc.StatusCode.FAILED_PRECONDITION
    too_long = precondition, "PROMPT_TOO_LONG"
    assert refusals == [(precondition, "NO_MODEL_FOR_IMAGES"), too_long, too_long]


@pytest.mark.parametrize("topic", ["quota", "subscription"])
async def test_what_a_process_knows_of_a_person_it_forgets_as_soon_as_it_changes(
    around: Surroundings, first: Replica, quota: CountingQuota, topic: str
) -> None:
    alice = first.person()
    parent = await opened(alice)

    async def asks() -> int:
        """How often an estimate asks quota_svc."""
        before = quota.asked
        await estimated(alice, parent)
        return quota.asked - before

    async with working(first.parts), redis.connect(around.redis_url) as live, asyncio.timeout(WAIT_SECONDS):
        # The first one is remembered once the process hears of changes.
        while await asks():
            await asyncio.sleep(0.01)
        assert await asks() == 0
        data = events.QuotaUpdated(meter="chat")
        sealed = envelope(f"{topic}.updated", "users/alice", data, datetime.now(UTC), uuid4())
        await live.xadd(stream(topic), {ENVELOPE: sealed.SerializeToString()})
        while not await asks():
            await asyncio.sleep(0.01)
        assert await asks() == 0
