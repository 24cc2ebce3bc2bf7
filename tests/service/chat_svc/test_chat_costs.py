"""What an answer costs in the end, and that it is no more than was said before it was sent."""

from contextlib import aclosing
from dataclasses import replace

import pytest

from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import handing_over
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.store import answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.groups import LIST, gathered, said_to
from tests.service.chat_svc.replica import Lapse, Person, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

STOP = chat_pb2.FINISH_REASON_STOP
SETTLED = quota_pb2.HOLD_STATE_SETTLED
# 90 tokens, as they are estimated.
PIECES = ["12345678"] * 45


def short(model: Model) -> Model:
    """A model whose longest answer is one turn, and which goes on where another one broke off."""
    abilities = frozenset({Capability.PREFILL})
    return replace(model, output_tokens_max=100, tokens_per_turn=100, capabilities=abilities)


async def estimated(person: Person, parent: str) -> chat_pb2.TurnEstimate:
    request = chat_pb2.EstimateTurnRequest(parent=parent, text="Who are you?")
    return await person.stub.EstimateTurn(request, metadata=person.metadata)


async def test_an_answer_of_two_models_costs_no_more_than_the_longest_of_one(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    async with replica(around, [short(claude), short(gpt)]) as running:
        alice = running.person()
        conversation = await alice.conversation()
        estimate = await estimated(alice, conversation)
        fake.script(Behaviour(answer=[*PIECES, "x"], cut_after=45), Behaviour(answer=PIECES, usage=(10, 90)))
        events = await alice.turn(conversation)
    finished = events[-1].finished
    assert (estimate.maximum, finished.receipt.charged, finished.receipt.usage.output_tokens) == (1, 1, 180)
    assert (finished.reason, said(events)) == (STOP, "".join(PIECES * 2))
    assert (quota.left, quota.charges()) == (4, [{"chat": 1}])


async def test_an_answer_that_has_cost_all_that_it_may_needs_no_more_credit(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 1
    async with replica(around, [short(claude), short(gpt)]) as running:
        alice = running.person()
        fake.script(Behaviour(answer=[*PIECES, "x"], cut_after=45), Behaviour(answer=PIECES, usage=(10, 90)))
        events = await alice.turn(await alice.conversation())
    assert (events[-1].finished.reason, said(events)) == (STOP, "".join(PIECES * 2))
    assert quota.charges() == [{"chat": 1}]


async def test_an_answer_of_two_processes_costs_no_more_than_the_longest_of_one_model(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", 20.0)
    monkeypatch.setattr(answers, "OFFER_SECONDS", 30.0)
    fake.script(Behaviour(answer=[*PIECES, "x"], stall_after=45), Behaviour(answer=PIECES, usage=(10, 300)))
    # What the answer may cost is decided where it begins.
    longer = replace(short(claude), output_tokens_max=1_000)
    async with replica(around, [longer]) as staying:
        async with replica(around, [short(claude)]) as ending:
            alice = ending.person()
            async with aclosing(alice.sending(await alice.conversation())) as stream:
                begun = [await anext(stream)]
                while said(begun) != "".join(PIECES):
                    begun.append(await anext(stream))
        events = begun + await staying.person().watched(begun[0].message, after=len(begun))
    finished = events[-1].finished
    assert (finished.reason, said(events), finished.receipt.charged) == (STOP, "".join(PIECES * 2), 1)
    assert (quota.left, quota.states()) == (4, [SETTLED])


@pytest.mark.parametrize(
    ("left", "tokens", "charged"), [(50, 300, 30), (50, 12, 2), (50, 1, 1), (7, 300, 7), (1, 300, 1)]
)
async def test_what_a_model_thought_and_did_not_say_costs_as_far_as_there_is_credit(
    around: Surroundings,
    claude: Model,
    fake: FakeProvider,
    quota: FakeQuota,
    left: int,
    tokens: int,
    charged: int,
) -> None:
    quota.left = left
    async with replica(around, [replace(claude, tokens_per_turn=10)]) as running:
        alice = running.person()
        fake.script(Behaviour(answer=["Elem", "entary."], usage=(20, tokens)))
        events = await alice.turn(await alice.conversation())
    receipt = events[-1].finished.receipt
    assert (receipt.usage.output_tokens, receipt.charged) == (tokens, charged)
    assert (quota.charges(), quota.left, quota.states()) == ([{"chat": charged}], left - charged, [SETTLED])


async def test_what_a_model_thought_costs_no_more_than_its_longest_answer(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 50
    async with replica(around, [replace(claude, tokens_per_turn=10, output_tokens_max=100)]) as running:
        alice = running.person()
        conversation = await alice.conversation()
        estimate = await estimated(alice, conversation)
        fake.script(Behaviour(answer=["Elem", "entary."], usage=(20, 300)))
        receipt = (await alice.turn(conversation))[-1].finished.receipt
    assert (estimate.maximum, receipt.charged, quota.charges()) == (10, 10, [{"chat": 10}])


async def test_what_a_model_thought_costs_no_more_than_is_left_of_the_round(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 50
    async with replica(around, [replace(claude, tokens_per_turn=10)]) as running:
        alice = running.person()
        fake.otherwise = Behaviour(answer=["Elementary."], usage=(20, 30))
        conversation = await gathered(alice, chat_pb2.Group(turn_order=LIST, credits_max=5))
        async with aclosing(said_to(alice, conversation)) as stream:
            ends = [event.finished async for event in stream if event.HasField("finished")]
    assert [one.receipt.charged for one in ends] == [3, 2]
    assert ([one.reason for one in ends], quota.left) == ([STOP, STOP], 45)


async def test_a_process_that_dies_before_it_charges_what_a_model_thought_leaves_nothing_held(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    quota.left = 50
    model = replace(claude, tokens_per_turn=10)
    async with replica(around, [model]) as staying:
        async with replica(around, [model]) as dying:
            quota.settles.clear()
            alice = dying.person()
            fake.script(Behaviour(answer=["Elem", "entary."], usage=(20, 300)))
            stream = alice.sending(await alice.conversation("At home"))
            async with aclosing(stream):
                started, *_ = [await anext(stream) for _ in range(3)]
                await eventually(lambda: quota.left == 20)
                await dying.kill()
        quota.settles.set()
        await lapse()
        await staying.recovery.sweep()
        events = await staying.person().watched(started.message)
    assert kinds(events)[-1] in ("finished", "failed")
    (charged,) = quota.charges()
    assert (quota.states(), charged["chat"]) == ([SETTLED], 30 if events[-1].HasField("finished") else 1)


async def test_while_the_ledger_is_away_what_a_model_thought_is_free(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    async with replica(around, [replace(claude, tokens_per_turn=10)]) as running:
        alice = running.person()
        fake.script(Behaviour(answer=["Elem", "entary.", "x"], usage=(20, 30), delay_ms=5))
        async with aclosing(alice.sending(await alice.conversation("At home"))) as stream:
            started, *_ = [await anext(stream) for _ in range(2)]
            quota.away = True
            last = [event async for event in stream][-1]
        assert last.finished.receipt.charged == 1
        quota.away = False
        await lapse()
        await running.recovery.sweep()
        assert (await alice.watched(started.message))[-1].finished.receipt.charged == 1
    assert (quota.charges(), quota.states()) == ([{"chat": 1}], [SETTLED])
