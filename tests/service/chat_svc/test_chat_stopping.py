"""Answers that end before the model has: stopped by the person, or by the end of their credit."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import grpc
import pytest
from structlog.testing import capture_logs

from runtime import redis
from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import stopping
from services.chat_svc.answering.stopping import CHANNEL
from services.chat_svc.domain.model import Model, Prices
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import (
    CALL_SECONDS,
    WAIT_SECONDS,
    Person,
    Replica,
    Surroundings,
    eventually,
    replica,
)
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

STOPPED, QUOTA = chat_pb2.FINISH_REASON_STOPPED, chat_pb2.FINISH_REASON_QUOTA


async def stop(person: Person, message: str) -> chat_pb2.Message:
    return await person.stub.StopMessage(chat_pb2.StopMessageRequest(name=message), metadata=person.metadata)


async def test_a_stop_keeps_what_was_said_and_closes_the_models_stream(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(alice.sending(conversation)) as stream:
        started, delta = [await anext(stream) for _ in range(2)]
        message = await stop(alice, started.message)
        await eventually(lambda: fake.open_streams == 0)
        rest = [event async for event in stream]
    assert (message.text, message.state) == ("Elem", chat_pb2.MESSAGE_STATE_COMPLETE)
    receipt = rest[-1].finished.receipt
    assert (rest[-1].finished.reason, receipt.charged) == (STOPPED, 1)
    assert [one.first_word_seconds > 0 for one in receipt.attempts] == [True]
    assert await alice.watched(started.message) == [started, delta, *rest]
    assert await stop(alice, started.message) == message
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]


async def test_a_stop_before_the_first_word_costs_nothing(alice: Person, fake: FakeProvider, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    fake.script(Behaviour(silent=True))
    turn = asyncio.create_task(alice.turn(conversation))
    await eventually(lambda: len(fake.requests) == 1)
    message = (await alice.messages(conversation))[1]
    assert (await stop(alice, message.name)).text == ""
    assert (await turn)[-1].finished.receipt.charged == 0
    assert quota.states() == [quota_pb2.HOLD_STATE_RELEASED]


async def test_a_stop_reaches_the_process_that_makes_the_answer(
    first: Replica, second: Replica, fake: FakeProvider
) -> None:
    here, there = first.person(), second.person()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(here.sending(await here.conversation())) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        assert (await stop(there, started.message)).text == "Elem"
        assert [event async for event in stream][-1].finished.reason == STOPPED


async def test_a_stop_of_an_answer_whose_process_died_does_not_say_that_it_has_ended(
    first: Replica, second: Replica, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "END_SECONDS_MAX", 0.1)
    here = first.person()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with aclosing(here.sending(await here.conversation("Named"))) as stream:
        started, _ = [await anext(stream) for _ in range(2)]
        await first.kill()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stop(second.person(), started.message)
    assert (refused.value.code(), error_info(refused.value).reason) == (grpc.StatusCode.UNAVAILABLE, "STOP_PENDING")


async def test_what_is_no_answers_id_is_passed_over_and_the_next_stop_is_heard(
    around: Surroundings, first: Replica, fake: FakeProvider
) -> None:
    alice = first.person()
    fake.script(Behaviour(answer=["Elem", "entary"], stall_after=1))
    async with (
        redis.connect(around.redis_url) as telling,
        aclosing(alice.sending(await alice.conversation())) as stream,
    ):
        started, _ = [await anext(stream) for _ in range(2)]
        with capture_logs() as logs:
            for word in (b"x", b"\xff"):
                async with asyncio.timeout(WAIT_SECONDS):
                    while not await telling.publish(CHANNEL, word):
                        await asyncio.sleep(0.01)
            await eventually(lambda: [line["event"] for line in logs].count("no answer's id was heard") == 2)
        await telling.publish(CHANNEL, started.message.rsplit("/", 1)[-1])
        assert [event async for event in stream][-1].finished.reason == STOPPED


async def test_an_answer_that_grows_holds_more_and_ends_when_there_is_no_more(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    prices = Prices(output=Decimal(1_000_000))
    async with replica(around, [replace(claude, tokens_per_turn=10, prices=prices)]) as running:
        alice = running.person()
        quota.left = 2
        fake.script(Behaviour(answer=["12345678"] * 20, delay_ms=5))
        events = await alice.turn(await alice.conversation())
        assert (kinds(events)[-1], events[-1].finished.reason) == ("finished", QUOTA)
        receipt = events[-1].finished.receipt
        assert (receipt.charged, receipt.usage.output_tokens, receipt.cost_usd, quota.left) == (2, 20, 20.0, 0)
        assert said(events) == events[-1].finished.message.text == "12345678" * 10


@pytest.mark.parametrize(("tokens", "turns"), [(7, 1), (12, 2), (34, 4)])
async def test_an_answer_is_charged_what_the_model_says_that_it_took(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota, tokens: int, turns: int
) -> None:
    async with replica(around, [replace(claude, tokens_per_turn=10)]) as running:
        alice = running.person()
        # Twelve tokens, as they are estimated.
        fake.script(Behaviour(answer=["12345678"] * 6, delay_ms=5, usage=(20, tokens)))
        events = await alice.turn(await alice.conversation())
        receipt = events[-1].finished.receipt
        assert (receipt.usage.output_tokens, receipt.charged) == (tokens, turns)
        assert [list(one.amounts) for one in quota.settled] == [[quota_pb2.Amount(meter="chat", amount=turns)]]


async def test_an_estimate_says_what_a_turn_costs_and_holds_nothing(alice: Person, quota: FakeQuota) -> None:
    conversation = await alice.conversation()
    request = chat_pb2.EstimateTurnRequest(parent=conversation, text="Who are you?")
    estimate = await alice.stub.EstimateTurn(request, metadata=alice.metadata)
    assert (estimate.meter, estimate.likely, estimate.maximum, estimate.model) == ("chat", 1, 1, "claude")
    assert (estimate.prompt_tokens > 0, estimate.affordable, quota.holds) == (True, True, {})
    quota.left = 0
    assert not (await alice.stub.EstimateTurn(request, metadata=alice.metadata)).affordable


async def test_an_estimate_says_what_bought_credits_would_pay(alice: Person, quota: FakeQuota) -> None:
    quota.payer = ("credits", 3)
    request = chat_pb2.EstimateTurnRequest(parent=await alice.conversation(), text="Who are you?")
    estimate = await alice.stub.EstimateTurn(request, metadata=alice.metadata)
    assert (estimate.meter, estimate.likely, estimate.maximum, estimate.affordable) == ("credits", 3, 3, True)
    quota.left = 0
    assert not (await alice.stub.EstimateTurn(request, metadata=alice.metadata)).affordable


async def test_the_most_that_an_estimate_says_is_what_the_longest_answer_of_any_model_costs(
    around: Surroundings, claude: Model, gpt: Model
) -> None:
    models = [replace(claude, tokens_per_turn=1_000, output_tokens_max=1_000), replace(gpt, output_tokens_max=4_000)]
    async with replica(around, models) as running:
        alice = running.person()
        choice = chat_pb2.ModelChoice(model="claude")
        request = chat_pb2.EstimateTurnRequest(parent=await alice.conversation(), text="Who?", choice=choice)
        assert (await alice.stub.EstimateTurn(request, metadata=alice.metadata)).maximum == 4


async def test_whoever_asks_is_told_why_a_model_answers(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider
) -> None:
    async with replica(around, [claude, gpt]) as running:
        alice = running.person()
        choice = chat_pb2.ModelChoice(model="gpt")
        request = chat_pb2.SendMessageRequest(
            parent=await alice.conversation(), text="Who?", choice=choice, explain=True
        )
        events = [
            event async for event in alice.stub.SendMessage(request, metadata=alice.metadata, timeout=CALL_SECONDS)
        ]
        candidates = events[0].started.decision.candidates
        assert (events[0].started.model, [one.model for one in candidates]) == ("gpt", ["gpt", "claude"])


async def test_an_answer_pays_for_its_whole_text_and_not_for_each_piece(
    around: Surroundings, claude: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    async with replica(around, [replace(claude, tokens_per_turn=20)]) as running:
        alice = running.person()
        quota.left = 1
        fake.script(Behaviour(answer=["12345"] * 15, delay_ms=5))
        events = await alice.turn(await alice.conversation())
        assert (said(events), events[-1].finished.reason) == ("12345" * 15, chat_pb2.FINISH_REASON_STOP)


async def test_what_a_seam_takes_back_uses_up_no_credit(
    around: Surroundings, claude: Model, gpt: Model, fake: FakeProvider, quota: FakeQuota
) -> None:
    models = [replace(model, tokens_per_turn=20) for model in (claude, gpt)]
    async with replica(around, models) as running:
        alice = running.person()
        quota.left = 1
        first, second = Behaviour(answer=["1234"] * 16, cut_after=15), Behaviour(answer=["5678"] * 15, usage=(9, 15))
        fake.script(*(replace(one, delay_ms=5) for one in (first, second)))
        finished = (await alice.turn(await alice.conversation()))[-1].finished
        assert (finished.message.text, finished.reason) == ("5678" * 15, chat_pb2.FINISH_REASON_STOP)
        assert (finished.receipt.charged, quota.left) == (1, 0)
