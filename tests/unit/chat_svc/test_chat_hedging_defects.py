"""Two models in a race, of which one fails in a way that is none of a model: the other goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs

from services.chat_svc.answering.hedging import Race
from services.chat_svc.answering.speech import Speaking
from services.chat_svc.answering.voice import Voice
from services.chat_svc.domain import hedging
from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.fault import Cut, Fault, ModelFault, Overloaded, Refused
from services.chat_svc.domain.hedging import Hedging
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.domain.prompt import Prompt
from services.chat_svc.domain.routing import Decision
from tests.unit.chat_svc.models import model
from tests.unit.chat_svc.stage import WAIT_SECONDS, Scripted, Stage

ENDING = Completed(FinishReason.STOP)


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(hedging, "AFTER_SECONDS_MIN", 0.01)
    return await Stage([model("slow"), model("other", dollars="1")], Hedging(1.0, 100)).warm()


async def heard(speaking: Speaking) -> list[Entry | Completed]:
    return [entry async for entry in speaking.entries()]


def attempts(speaking: Speaking) -> list[tuple[str, Fault | None]]:
    return [(one.model, one.fault) for one in speaking.spent.attempts]


async def closed(one: Scripted) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not one.closed:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("broken", "sound"), [("slow", "other"), ("other", "slow")])
async def test_a_defect_of_one_leaves_the_answer_to_the_other(stage: Stage, broken: str, sound: str) -> None:
    speaking = stage.speaking()
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(heard(speaking))
            await stage.until("other")
            stage.providers[broken].says(LookupError("a defect"))
            await closed(stage.providers[broken])
            stage.providers[sound].says("Here.", ENDING)
    assert answer.result() == [Began(sound), Said("Here."), ENDING]
    assert attempts(speaking) == [(sound, None)]
    defects = [(one["model"], one["exc_info"]) for one in logs if one["log_level"] == "error"]
    assert defects == [(broken, True)]


async def test_where_both_have_a_defect_it_is_told_as_it_is(stage: Stage) -> None:
    answer = asyncio.create_task(heard(stage.speaking()))
    await stage.until("other")
    for one in stage.providers.values():
        one.says(LookupError("a defect"))
    with pytest.raises(LookupError):
        await answer
    assert [(one.asked, one.closed) for one in stage.providers.values()] == [(1, 1), (1, 1)]


async def test_a_refusal_beside_a_defect_is_believed(stage: Stage) -> None:
    answer = asyncio.create_task(heard(stage.speaking()))
    (await stage.until("other")).says(LookupError("a defect"))
    await closed(stage.providers["other"])
    stage.providers["slow"].says(Refused("no"))
    with pytest.raises(Refused):
        await answer


async def test_a_model_with_a_defect_is_asked_alone_where_the_other_fails(stage: Stage) -> None:
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        other = await stage.until("other")
        stage.providers["slow"].says(LookupError("a defect"))
        await closed(stage.providers["slow"])
        other.says(Cut("cut"))
        (await stage.until("slow", asked=2)).says("Here.", ENDING)
    assert answer.result() == [Began("slow"), Said("Here."), ENDING]
    assert attempts(speaking) == [("other", Fault.CUT), ("slow", None)]


@dataclass
class Stuck(Scripted):
    """One that cannot be left before its end."""

    fault: Exception = field(default_factory=OSError)

    async def answer(
        self, prompt: Prompt, prefix: str = "", pause: Pause = at_once
    ) -> AsyncGenerator[str | Completed, None]:
        async for word in super().answer(prompt, prefix, pause):
            try:
                yield word
            except GeneratorExit:
                if word is not ENDING:
                    raise self.fault from None
                raise


@pytest.mark.parametrize("fault", [OSError("no"), Overloaded("no")])
async def test_a_late_stream_that_cannot_be_closed_leaves_the_answer_to_the_first(
    stage: Stage, fault: Exception
) -> None:
    for name, one in stage.providers.items():
        stage.providers[name] = Stuck(one.model, fault=fault)
    stage.roster.take([(one.model, "another key") for one in stage.providers.values()])
    speaking = stage.speaking()
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(speaking))
        await stage.until("other")
        for one in stage.providers.values():
            one.says(one.model.id, ENDING)
    began, said, ending = answer.result()
    assert isinstance(began, Began)
    assert (said, ending) == (Said(began.model), ENDING)
    late = next(name for name in stage.providers if name != began.model)
    how = fault.kind if isinstance(fault, ModelFault) else Fault.OUTRUN
    assert attempts(speaking) == [(late, how), (began.model, None)]


async def test_who_goes_away_as_a_first_word_comes_leaves_no_stream_open() -> None:
    one, closed = model("slow"), asyncio.Event()

    async def close() -> None:
        closed.set()

    async def ask(*_: object) -> Voice:
        racing.cancel()
        return cast("Voice", SimpleNamespace(model=one, close=close))

    race, decision = Race(ask), cast("Decision", None)
    racing = asyncio.create_task(race.winner((decision, one), lambda: None, WAIT_SECONDS))
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert closed.is_set()
