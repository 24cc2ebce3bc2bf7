"""How often a second model is asked, and who wins: providers that speak when the test says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.answering.speech import Speaking
from services.chat_svc.domain import hedging
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.fault import Cut, Fault, Malformed, ModelFault, Overloaded, Refused, Rejected
from services.chat_svc.domain.hedging import AFTER_SECONDS_MIN, PERCENT, SAVED_MAX, Hedges, Hedging
from services.chat_svc.domain.model import Class, Model
from services.chat_svc.domain.outcome import FinishReason, Usage
from tests.unit.chat_svc.models import model
from tests.unit.chat_svc.stage import WAIT_SECONDS, Scripted, Stage

AFTER_SECONDS = 0.01
# Long enough for a second model to have been asked.
LONG_SECONDS = 20 * AFTER_SECONDS
ALWAYS = Hedging(after_times=1.0, budget_percent=100)
SLOW, OTHER = model("slow"), model("other", dollars="1")
ENDING = Completed(FinishReason.STOP, Usage(10, 2))


@given(st.integers(1, 100), st.lists(st.booleans(), max_size=400))
def test_no_more_than_the_share_of_answers_is_hedged(percent: int, slow: list[bool]) -> None:
    hedges = Hedges(Hedging(3.0, percent))
    hedged = []
    for one in slow:
        hedges.answer()
        hedged.append(one and hedges.spend())
        assert PERCENT * sum(hedged) <= percent * len(hedged)
        for start in range(0, len(hedged), 50):
            assert PERCENT * (sum(hedged[start:]) - SAVED_MAX) <= percent * len(hedged[start:])


def test_what_is_earned_is_spent_once() -> None:
    hedges = Hedges(Hedging(3.0, 50))
    assert not hedges.spend()
    hedges.answer()
    assert not hedges.spend()
    hedges.answer()
    assert (hedges.spend(), hedges.spend()) == (True, False)


def test_without_a_rule_nothing_is_earned_or_spent() -> None:
    hedges = Hedges()
    for _ in range(1_000):
        hedges.answer()
    assert (hedges.spend(), hedges.after_seconds(1.0, 30.0)) == (False, None)
    hedges.rule = Hedging(1.0, 100)
    assert not hedges.spend()


def test_a_model_has_some_times_its_usual_time_but_never_as_much_as_its_limit() -> None:
    hedges = Hedges(Hedging(after_times=3.0, budget_percent=5))
    assert hedges.after_seconds(0.5, 30.0) == 1.5
    assert hedges.after_seconds(0.001, 30.0) == AFTER_SECONDS_MIN
    assert hedges.after_seconds(10.0, 30.0) is None


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hedging, "AFTER_SECONDS_MIN", AFTER_SECONDS)


@pytest.fixture
async def stage(soon: None) -> Stage:
    return await Stage([SLOW, OTHER], ALWAYS).warm()


async def heard(speaking: Speaking) -> list[Entry | Completed]:
    return [entry async for entry in speaking.entries()]


async def noted(speaking: Speaking) -> None:
    """Until the first fault of an answer is known."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not speaking.spent.attempts:
            await asyncio.sleep(0.001)


def attempts(speaking: Speaking) -> list[tuple[str, Fault | None]]:
    return [(one.model, one.fault) for one in speaking.spent.attempts]


async def test_who_speaks_first_goes_on_and_the_others_stream_is_closed(stage: Stage) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        (await stage.until("other")).says("Elementary", ".", ENDING)
    assert answer.result() == [Began("other"), Said("Elementary"), Said("."), ENDING]
    assert attempts(speaking) == [("slow", Fault.OUTRUN), ("other", None)]
    assert speaking.spent.attempts[1].usage == ENDING.usage
    assert [(one.asked, one.closed) for one in stage.providers.values()] == [(1, 1), (1, 1)]
    slow, other = (stage.router.health(name) for name in ("slow", "other"))
    assert (slow.answers, slow.failures, other.answers, other.failures) == (1, 0, 2, 0)


async def test_a_decision_that_is_told_has_the_slow_one_first(stage: Stage) -> None:
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(stage.speaking(explain=True)))
        (await stage.until("other")).says("Elementary.", ENDING)
    began = answer.result()[0]
    assert isinstance(began, Began)
    assert began.decision is not None
    assert (began.model, began.decision.order) == ("other", ("slow", "other"))


async def test_a_slow_model_that_speaks_first_after_all_goes_on(stage: Stage) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        await stage.until("other")
        stage.providers["slow"].says("Patience.", ENDING)
    assert answer.result() == [Began("slow"), Said("Patience."), ENDING]
    assert attempts(speaking) == [("other", Fault.OUTRUN), ("slow", None)]
    assert [(one.asked, one.closed) for one in stage.providers.values()] == [(1, 1), (1, 1)]


async def test_where_both_speak_at_once_one_goes_on(stage: Stage) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        await stage.until("other")
        for one in stage.providers.values():
            one.says(one.model.id, ENDING)
    began, said, ending = answer.result()
    assert isinstance(began, Began)
    assert (said, ending) == (Said(began.model), ENDING)
    assert attempts(speaking)[-1] == (began.model, None)
    assert sorted(attempts(speaking)[0][0] + began.model) == sorted("slow" + "other")
    assert [(one.asked, one.closed) for one in stage.providers.values()] == [(1, 1), (1, 1)]


async def test_a_model_that_fails_leaves_the_answer_to_the_one_that_was_asked_as_well(stage: Stage) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        other = await stage.until("other")
        stage.providers["slow"].says(Overloaded("busy"))
        await noted(speaking)
        other.says("Here.", ENDING)
    assert answer.result() == [Began("other"), Said("Here."), ENDING]
    assert attempts(speaking) == [("slow", Fault.OVERLOADED), ("other", None)]
    assert stage.router.health("slow").failures == 1


@pytest.mark.parametrize("fault", [Overloaded("busy"), Refused("no"), Rejected("what?")])
async def test_a_second_model_that_fails_changes_nothing(stage: Stage, fault: ModelFault) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        (await stage.until("other")).says(fault)
        await noted(speaking)
        stage.providers["slow"].says("Patience.", ENDING)
    assert answer.result() == [Began("slow"), Said("Patience."), ENDING]
    assert attempts(speaking) == [("other", fault.kind), ("slow", None)]


async def test_a_refusal_of_the_model_that_was_asked_first_ends_the_answer(stage: Stage) -> None:
    speaking = stage.speaking()
    answer = asyncio.create_task(heard(speaking))
    await stage.until("other")
    stage.providers["slow"].says(Refused("no"))
    with pytest.raises(Refused):
        await answer
    assert attempts(speaking) == [("other", Fault.OUTRUN), ("slow", Fault.REFUSED)]
    assert stage.providers["other"].closed == 1


@pytest.mark.parametrize(("second", "raised"), [(Rejected("what?"), Rejected), (Malformed("what?"), Cut)])
async def test_where_both_fail_nobody_is_left_and_what_nobody_can_help_is_told(
    stage: Stage, second: ModelFault, raised: type[ModelFault]
) -> None:
    speaking = stage.speaking()
    answer = asyncio.create_task(heard(speaking))
    (await stage.until("other")).says(second)
    await noted(speaking)
    stage.providers["slow"].says(Cut("cut"))
    with pytest.raises(raised):
        await answer
    assert attempts(speaking) == [("other", second.kind), ("slow", Fault.CUT)]


async def test_whoever_stops_listening_closes_both(stage: Stage) -> None:
    speaking = stage.speaking()
    answer = asyncio.create_task(heard(speaking))
    await stage.until("other")
    answer.cancel()
    await asyncio.wait([answer])
    assert answer.cancelled()
    assert [(one.asked, one.closed) for one in stage.providers.values()] == [(1, 1), (1, 1)]
    assert attempts(speaking) == []
    assert [stage.router.health(name).failures for name in ("slow", "other")] == [0, 0]


async def test_what_was_outrun_may_take_over_where_the_faster_one_breaks_off(stage: Stage) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        (await stage.until("other")).says("Elem", Overloaded("busy"))
        (await stage.until("slow", asked=2)).says("Anew.", ENDING)
    assert [entry for entry in answer.result() if isinstance(entry, Said)] == [Said("Elem"), Said("Anew.")]
    assert attempts(speaking) == [("slow", Fault.OUTRUN), ("other", Fault.OVERLOADED), ("slow", None)]


async def test_after_the_first_word_nobody_is_hedged(monkeypatch: pytest.MonkeyPatch) -> None:
    # Until then nobody is, either, however slow this machine is.
    monkeypatch.setattr(hedging, "AFTER_SECONDS_MIN", WAIT_SECONDS)
    stage = await Stage([SLOW, OTHER], ALWAYS).warm()
    speaking = stage.speaking()
    entries = speaking.entries()
    stage.providers["slow"].says("Elem", Overloaded("busy"))
    assert [await anext(entries), await anext(entries)] == [Began("slow"), Said("Elem")]
    monkeypatch.setattr(hedging, "AFTER_SECONDS_MIN", AFTER_SECONDS)
    third = model("third")
    stage.providers["third"] = Scripted(third)
    stage.roster.take([(SLOW, ""), (OTHER, ""), (third, "")])
    async with asyncio.TaskGroup() as tasks:
        rest = tasks.create_task(_rest(entries))
        name = await _asked(stage, "other", "third")
        await asyncio.sleep(LONG_SECONDS)
        assert sorted(one.asked for one in stage.providers.values()) == [0, 1, 1]
        stage.providers[name].says("Anew.", ENDING)
    assert rest.result()[1:] == [Said("Anew."), ENDING]


async def _rest(entries: AsyncGenerator[Entry | Completed, None]) -> list[Entry | Completed]:
    return [entry async for entry in entries]


async def _asked(stage: Stage, *names: str) -> str:
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            for name in names:
                if stage.providers[name].asked:
                    return name
            await asyncio.sleep(0.001)


DEAR = replace(OTHER, model_class=Class.PREMIUM)
LAST = replace(OTHER, last_resort=True)


@pytest.mark.parametrize(
    ("other", "rule", "asked"),
    [(OTHER, None, None), (OTHER, ALWAYS, "slow"), (DEAR, ALWAYS, None), (LAST, ALWAYS, None), (None, ALWAYS, None)],
    ids=["no rule", "named by the caller", "another class", "last resort", "nobody else"],
)
async def test_some_are_waited_for_alone(
    soon: None, other: Model | None, rule: Hedging | None, asked: str | None
) -> None:
    stage = await Stage([SLOW, other] if other else [SLOW], rule).warm()
    await _alone(stage, stage.speaking(asked))


async def test_a_model_that_rests_is_no_company(stage: Stage) -> None:
    for _ in range(3):
        with pytest.raises(Overloaded):
            async with stage.router.asked("other"):
                raise Overloaded("busy")
    await _alone(stage, stage.speaking())


async def test_where_the_share_is_used_up_the_slow_one_is_waited_for(stage: Stage) -> None:
    stage.hedges.rule = Hedging(1.0, 99)
    await _alone(stage, stage.speaking())


async def _alone(stage: Stage, speaking: Speaking) -> None:
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        slow = await stage.until("slow")
        await asyncio.sleep(LONG_SECONDS)
        slow.says("Patience.", ENDING)
    assert answer.result() == [Began("slow"), Said("Patience."), ENDING]
    assert attempts(speaking) == [("slow", None)]
    assert [one.asked for one in stage.providers.values() if one is not slow] in ([], [0])
