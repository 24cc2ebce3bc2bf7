from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from io import BytesIO

import grpc
import pytest
from PIL import Image

from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Capability, Class, Model
from services.chat_svc.domain.wording import PICTURE
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.pictures import Owner, opened, owner, picture, recording, showing
from tests.service.chat_svc.replica import Person, Replica, Surroundings, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

VISION = frozenset({Capability.VISION})
UUID_1 = "00000000-0000-4000-8000-000000000001"
COLOURS = ("red", "lime", "blue", "white", "black", "yellow")


@pytest.fixture(params=["anthropic", "openai"])
def model(request: pytest.FixtureRequest, claude: Model, gpt: Model) -> Model:
    return replace(claude if request.param == "anthropic" else gpt, capabilities=VISION)


@pytest.fixture
async def first(around: Surroundings, claude: Model) -> AsyncIterator[Replica]:
    """A process whose only model sees."""
    async with replica(around, [replace(claude, capabilities=VISION)]) as first:
        yield first


@pytest.fixture
def alices(first: Replica) -> Owner:
    return owner(first)


async def refused(asked: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await asked
    return refusal.value.code(), error_info(refusal.value).reason


def colours(fake: FakeProvider, number: int = -1) -> list[str]:
    """What a model saw in one of its requests, each image by its first pixel."""
    seen = []
    for kind, content in fake.requests[number].images:
        image = Image.open(BytesIO(content)).convert("RGB")
        assert image.format is None
        assert kind == "image/png"
        seen.append(image.getpixel((0, 0)))
    named = {Image.new("RGB", (1, 1), name).getpixel((0, 0)): name for name in COLOURS}
    return [named[one] for one in seen]


async def kept(alices: Owner, *wanted: str) -> list[str]:
    return [(await alices.keep(picture(colour=colour))).name for colour in wanted]


async def test_a_model_sees_what_is_shown_and_each_image_costs(
    around: Surroundings, model: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    async with replica(around, [model]) as first:
        person = first.person()
        media, parent = await kept(owner(first), "red", "blue"), await opened(person)
        events = await showing(person, parent, media)
        assert list(events[0].started.user_message.media) == media
        assert [list(one.media) for one in await person.messages(parent)] == [media, []]
    assert (kinds(events)[-1], events[-1].finished.receipt.charged) == ("finished", 1)
    assert colours(fake) == ["red", "blue"]
    assert quota.charges() == [{"chat": 1, "image_recognition": 2}]


async def test_what_was_shown_before_is_seen_again_and_costs_once(
    first: Replica, alices: Owner, alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    parent = await opened(alice)
    await showing(alice, parent, await kept(alices, "red"))
    await alice.turn(parent, "What was that?")
    assert (colours(fake), quota.charges()) == (["red"], [{"chat": 1, "image_recognition": 1}, {"chat": 1}])


async def test_of_earlier_images_the_four_newest_are_seen_again(
    first: Replica, alices: Owner, alice: Person, fake: FakeProvider
) -> None:
    parent = await opened(alice)
    await showing(alice, parent, await kept(alices, *COLOURS[:4]))
    await showing(alice, parent, await kept(alices, *COLOURS[4:]))
    assert colours(fake) == list(COLOURS)
    await alice.turn(parent, "And now?")
    assert colours(fake) == list(COLOURS[2:])


async def test_a_model_that_cannot_see_is_told_that_there_was_an_image(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [replace(claude, capabilities=VISION), gpt]) as first:
        person = first.person()
        parent = await opened(person)
        shown = await showing(person, parent, await kept(owner(first), "red"), choice=chat_pb2.ModelChoice(model="gpt"))
        told = await showing(person, parent, [], choice=chat_pb2.ModelChoice(model="gpt"))
    assert (shown[0].started.model, told[0].started.model) == ("claude", "gpt")
    assert fake.requests[-1].images == ()
    assert PICTURE in fake.requests[-1].body["messages"][1]["content"]


async def test_where_no_model_sees_nothing_is_held_and_nothing_is_said(
    around: Surroundings, claude: Model, quota: FakeQuota
) -> None:
    async with replica(around, [claude]) as first:
        person = first.person()
        media, parent = await kept(owner(first), "red"), await opened(person)
        refusal = await refused(showing(person, parent, media))
        # No plan would help.
        with pytest.raises(grpc.aio.AioRpcError, match="No configured model can see images"):
            await showing(person, parent, media)
        assert await person.messages(parent) == []
    assert (refusal, quota.holds) == ((grpc.StatusCode.FAILED_PRECONDITION, "NO_MODEL_FOR_IMAGES"), {})


async def test_where_only_a_premium_model_sees_a_premium_turn_is_taken_unless_there_is_none(
    around: Surroundings, claude: Model, gpt: Model, quota: FakeQuota
) -> None:
    seeing = replace(claude, capabilities=VISION, model_class=Class.PREMIUM)
    quota.others["chat_premium"] = 1
    async with replica(around, [seeing, gpt]) as first:
        person = first.person()
        media, parent = await kept(owner(first), "red"), await opened(person)
        events = await showing(person, parent, media)
        refusal = await refused(showing(person, parent, media))
    assert events[0].started.model == "claude"
    assert quota.charges() == [{"chat_premium": 1, "image_recognition": 1}]
    assert refusal == (grpc.StatusCode.FAILED_PRECONDITION, "NO_MODEL_FOR_IMAGES")
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED, quota_pb2.HOLD_STATE_RELEASED]


async def test_only_ones_own_images_can_be_shown(
    first: Replica, alices: Owner, alice: Person, quota: FakeQuota
) -> None:
    parent = await opened(alice)
    bobs = (await owner(first, "bob").keep(picture())).name
    sound = (await alices.keep(recording())).name
    assert [await refused(showing(alice, parent, [one])) for one in (bobs, f"media/{UUID_1}", sound)] == [
        (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND"),
        (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND"),
        (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    ]
    assert (await alice.messages(parent), quota.holds) == ([], {})


async def test_without_credit_for_the_images_there_is_no_turn(
    first: Replica, alices: Owner, alice: Person, quota: FakeQuota
) -> None:
    quota.others["image_recognition"] = 1
    media, parent = await kept(alices, "red", "blue"), await opened(alice)
    assert await refused(showing(alice, parent, media)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXHAUSTED")
    assert (await alice.messages(parent), quota.holds, quota.left) == ([], {}, 5)


async def test_an_answer_that_fails_costs_no_images(
    first: Replica, alices: Owner, alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.otherwise = Behaviour(status=401)
    media, parent = await kept(alices, "red"), await opened(alice)
    assert kinds(await showing(alice, parent, media))[-1] == "failed"
    assert (quota.charges(), quota.states()) == ([], [quota_pb2.HOLD_STATE_RELEASED])
    assert (quota.left, quota.others["image_recognition"]) == (5, 10)


@pytest.mark.parametrize(
    ("turns", "charge"), [(("chat", 1), {"chat": 1, "credits": 4}), (("credits", 3), {"credits": 7})]
)
async def test_credits_pay_for_images_with_or_without_the_turn(
    first: Replica, alices: Owner, alice: Person, quota: FakeQuota, turns: tuple[str, int], charge: dict[str, int]
) -> None:
    quota.payer, quota.payers["image_recognition"] = turns, ("credits", 2)
    events = await showing(alice, await opened(alice), await kept(alices, "red", "blue"))
    receipt = events[-1].finished.receipt
    assert (quota.charges(), receipt.meter, receipt.charged) == ([charge], *turns)


async def test_a_longer_answer_takes_more_turns_beside_what_its_images_cost(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    fake.otherwise = Behaviour(answer=["word " * 10] * 4, usage=(10, 25))
    quota.payer, quota.payers["image_recognition"] = ("credits", 3), ("credits", 2)
    async with replica(around, [replace(claude, capabilities=VISION, tokens_per_turn=10)]) as first:
        person = first.person()
        parent = await opened(person)
        events = await showing(person, parent, await kept(owner(first), "red"))
    assert (events[-1].finished.receipt.charged, quota.charges()) == (9, [{"credits": 11}])


async def test_a_retry_that_shows_something_else_is_refused(
    first: Replica, alices: Owner, alice: Person, fake: FakeProvider
) -> None:
    parent, media = await opened(alice), await kept(alices, "red", "blue")
    once = await showing(alice, parent, media[:1], request_id=UUID_1)
    again = await showing(alice, parent, media[:1], request_id=UUID_1)
    assert (again[-1], len(fake.requests)) == (once[-1], 1)
    assert await refused(showing(alice, parent, media[1:], request_id=UUID_1)) == (
        grpc.StatusCode.ALREADY_EXISTS,
        "REQUEST_ID_REUSED",
    )


async def test_another_answer_and_another_wording_show_the_same_images(
    first: Replica, alices: Owner, alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    parent = await opened(alice)
    events = await showing(alice, parent, await kept(alices, "red"))
    answer, question = events[-1].finished.message.name, events[0].started.user_message
    regenerate = chat_pb2.RegenerateMessageRequest(name=answer)
    [_ async for _ in alice.stub.RegenerateMessage(regenerate, metadata=alice.metadata)]
    rewrite = chat_pb2.RewriteMessageRequest(name=question.name, text="See?")
    rewritten = [event async for event in alice.stub.RewriteMessage(rewrite, metadata=alice.metadata)]
    assert rewritten[0].started.user_message.media == question.media
    assert [colours(fake, number) for number in range(3)] == [["red"]] * 3
    assert quota.charges() == [{"chat": 1, "image_recognition": 1}] * 3
