"""Answers that have begun, while the only model rests or is being tried by somebody else."""

from __future__ import annotations

import asyncio

import pytest

from services.chat_svc.answering import speech
from services.chat_svc.answering.speech import Speaking
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode
from services.chat_svc.domain.fault import Fault, HandedOver, NotLetIn, RateLimited
from services.chat_svc.domain.outcome import FinishReason
from tests.unit.chat_svc.models import model
from tests.unit.chat_svc.stage import WAIT_SECONDS, Stage

SAID = (Began("only"), Said("Elem"))
ENDING = Completed(FinishReason.STOP)
WHOLE = [Seam("only", "only", Fault.HANDED_OVER, SeamMode.REPLACED, 0), Said("Elementary."), ENDING]


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(speech, "PAUSE_SECONDS", 0.001)
    return Stage([model("only")], None)


async def heard(speaking: Speaking) -> list[Entry | Completed]:
    return [entry async for entry in speaking.entries()]


async def rests(stage: Stage) -> None:
    with pytest.raises(NotLetIn):
        async with stage.router.asked("only"):
            raise NotLetIn("401")


async def test_what_has_begun_waits_for_a_model_that_somebody_else_is_trying(stage: Stage) -> None:
    await rests(stage)
    only = stage.providers["only"]
    async with stage.router.asked("only") as probe:
        answers = [asyncio.create_task(heard(stage.speaking(said=SAID))) for _ in range(3)]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        assert only.asked == 0
        probe.answered(None)
    await stage.until("only", asked=3)
    for answer in answers:
        answer.cancel()
    await asyncio.wait(answers)
    assert only.closed == 3


async def test_what_has_begun_waits_until_the_time_that_a_model_told(stage: Stage) -> None:
    with pytest.raises(RateLimited):
        async with stage.router.asked("only"):
            raise RateLimited("429", retry_after_seconds=20)
    async with asyncio.TaskGroup() as tasks:
        answer = tasks.create_task(heard(stage.speaking(said=SAID)))
        stage.clock.passes(19)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await stage.until("only")
        stage.clock.passes(2)
        (await stage.until("only")).says("Elementary.", ENDING)
    assert answer.result() == WHOLE


@pytest.mark.parametrize(("told_seconds", "passing_seconds"), [(3_000, 0), (50, 70), (49.9, 49.95)])
async def test_nothing_is_waited_for_longer_than_silence_may_last(
    stage: Stage, told_seconds: float, passing_seconds: float
) -> None:
    with pytest.raises(RateLimited):
        async with stage.router.asked("only"):
            raise RateLimited("429", retry_after_seconds=told_seconds)
    answer = asyncio.create_task(heard(stage.speaking(said=SAID)))
    await asyncio.sleep(0)
    stage.clock.passes(passing_seconds)
    with pytest.raises(HandedOver):
        async with asyncio.timeout(WAIT_SECONDS):
            await answer
    assert stage.providers["only"].asked == 0
