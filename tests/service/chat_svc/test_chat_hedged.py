"""A model that is slow with its first word gets company, over the wire: who speaks first goes on, and is paid alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.convert.messages import FAULTS
from services.chat_svc.domain.fault import Fault
from services.chat_svc.domain.hedging import Hedging
from services.chat_svc.domain.model import Model, Prices
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, provider
from tests.service.chat_svc.replica import Events, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import ONE_TURN, FakeQuota

OUTRUN = FAULTS[Fault.OUTRUN]
# Usually, a model that was never asked is thought to need a second.
ALWAYS = Hedging(after_times=1.0, budget_percent=100)
LATER = Hedging(after_times=40.0, budget_percent=100)


@pytest.fixture
async def fast() -> AsyncIterator[FakeProvider]:
    """Whom the second model is reached by."""
    async with provider() as fast:
        fast.otherwise = Behaviour(answer=["Here ", "I am."], usage=(20, 4))
        yield fast


@pytest.fixture
def models(claude: Model, gpt: Model, fast: FakeProvider) -> list[Model]:
    return [claude, replace(gpt, base_url=f"{fast.url}/v1", prices=Prices(Decimal(1), Decimal(1), Decimal(10)))]


@pytest.fixture
async def pair(around: Surroundings, models: list[Model]) -> AsyncIterator[Replica]:
    async with replica(around, models, hedging=ALWAYS) as pair:
        yield pair


def attempts(events: Events) -> list[tuple[str, int]]:
    return [(one.model, one.fault) for one in events[-1].finished.receipt.attempts]


async def test_who_speaks_first_answers_and_alone_is_paid(
    pair: Replica, fake: FakeProvider, fast: FakeProvider, quota: FakeQuota
) -> None:
    fake.otherwise = Behaviour(answer=["Late."], first_word_ms=60_000)
    alice = pair.person()
    conversation = await alice.conversation()
    events = await alice.turn(conversation)
    assert kinds(events) == ["started", "delta", "delta", "finished"]
    assert (events[0].started.model, said(events)) == ("gpt", "Here I am.")
    _, answer = await alice.messages(conversation)
    assert (answer.text, answer.model, answer.state) == ("Here I am.", "gpt", chat_pb2.MESSAGE_STATE_COMPLETE)
    receipt = events[-1].finished.receipt
    assert attempts(events) == [("claude", OUTRUN), ("gpt", chat_pb2.FAULT_UNSPECIFIED)]
    assert not receipt.attempts[0].HasField("usage")
    assert (receipt.charged, receipt.usage) == (1, chat_pb2.TokenUsage(input_tokens=20, output_tokens=4))
    assert receipt.cost_usd == pytest.approx(0.00006)
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]
    assert [(list(one.amounts), one.usage.model) for one in quota.settled] == [([ONE_TURN], "gpt")]
    assert (len(fake.requests), len(fast.requests)) == (1, 1)
    await eventually(lambda: fake.open_streams == 0)
    assert await alice.watched(events[0].message) == events


async def test_a_slow_model_may_still_be_first(pair: Replica, fake: FakeProvider, fast: FakeProvider) -> None:
    fake.otherwise = Behaviour(answer=["Late, ", "but here."], first_word_ms=1_500)
    fast.otherwise = Behaviour(silent=True)
    alice = pair.person()
    events = await alice.turn(await alice.conversation())
    assert (events[0].started.model, said(events)) == ("claude", "Late, but here.")
    assert attempts(events) == [("gpt", OUTRUN), ("claude", chat_pb2.FAULT_UNSPECIFIED)]
    await eventually(lambda: fast.open_streams == 0)


async def test_a_model_that_is_in_time_is_asked_alone(
    around: Surroundings, models: list[Model], fake: FakeProvider, fast: FakeProvider
) -> None:
    fake.otherwise = Behaviour(answer=["Elementary."])
    async with replica(around, models, hedging=LATER) as pair:
        alice = pair.person()
        events = await alice.turn(await alice.conversation())
    assert (said(events), attempts(events)) == ("Elementary.", [("claude", chat_pb2.FAULT_UNSPECIFIED)])
    assert fast.requests == []


async def test_a_faster_model_that_breaks_off_is_followed_as_any_other(
    pair: Replica, fake: FakeProvider, fast: FakeProvider
) -> None:
    fake.script(Behaviour(answer=["Late."], first_word_ms=60_000), Behaviour(answer=["Anew."]))
    fast.otherwise = Behaviour(answer=["Here ", "I am."], cut_after=1)
    alice = pair.person()
    events = await alice.turn(await alice.conversation())
    assert kinds(events) == ["started", "delta", "seam", "delta", "finished"]
    assert (said(events), events[-1].finished.message.text) == ("Anew.", "Anew.")
    assert attempts(events) == [
        ("claude", OUTRUN),
        ("gpt", chat_pb2.FAULT_CUT),
        ("claude", chat_pb2.FAULT_UNSPECIFIED),
    ]


async def test_a_share_of_answers_is_hedged_and_the_rest_waits(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider, fast: FakeProvider
) -> None:
    second = replace(gpt, base_url=f"{fast.url}/v1")
    async with replica(around, [claude, second], hedging=Hedging(1.0, 50)) as running:
        fake.script(Behaviour(answer=["Late."], first_word_ms=1_500), Behaviour(first_word_ms=60_000))
        models = []
        for user in ("alice", "bob"):
            person = running.person(user)
            models.append((await person.turn(await person.conversation()))[0].started.model)
        assert models == ["claude", "gpt"]
