"""What is done after answers: for one answer of a conversation at a time, and without harm to anybody."""

import asyncio
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from runtime.errors import Unavailable
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.scenes import asides as module
from services.chat_svc.scenes.asides import Asides
from tests.unit.chat_svc.scenes import answered


@dataclass
class Work:
    """Goes through its gate, and then fails where it is told to."""

    fault: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    begun: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    async def __call__(self, answer: Message) -> None:
        self.begun.append(answer.text)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        self.done.append(answer.text)


def _open(fault: Exception | None = None) -> Work:
    work = Work(fault)
    work.gate.set()
    return work


async def _until(work: Work, begun: int) -> None:
    while len(work.begun) < begun:
        await asyncio.sleep(0)


def _elsewhere(number: int) -> Message:
    return replace(answered(f"{number}"), conversation=UUID(int=number))


@pytest.mark.parametrize("fault", [Unavailable("Down.", reason="DATABASE_UNAVAILABLE"), ValueError("a defect")])
async def test_one_that_fails_keeps_no_other_from_being_done(fault: Exception) -> None:
    works = [_open(fault), _open()]
    async with Asides(works) as asides:
        asides.closed(answered("Yes."))
        await _until(works[1], 1)
    assert [(work.begun, work.done) for work in works] == [(["Yes."], []), (["Yes."], ["Yes."])]


async def test_nothing_is_done_after_an_answer_that_failed() -> None:
    work = _open()
    async with Asides([work]) as asides:
        asides.closed(answered("Ye", state=State.FAILED))
        asides.closed(answered("Yes."))
        await _until(work, 1)
    assert work.begun == ["Yes."]


async def test_a_conversation_has_its_turn_once_at_a_time_and_of_those_that_wait_the_newest() -> None:
    work = Work()
    async with Asides([work]) as asides:
        asides.closed(answered("One."))
        await _until(work, 1)
        for text in ("Two.", "Three."):
            asides.closed(answered(text))
        await asyncio.sleep(0)
        assert work.begun == ["One."]
        work.gate.set()
        await _until(work, 2)
    assert (work.begun, work.done) == (["One.", "Three."], ["One.", "Three."])


async def test_a_busy_process_leaves_it() -> None:
    work = Work()
    async with Asides([work]) as asides:
        for number in range(module.CONVERSATIONS_MAX + 3):
            asides.closed(_elsewhere(number))
        await _until(work, module.CONVERSATIONS_MAX)
        work.gate.set()
    assert len(work.begun) == module.CONVERSATIONS_MAX


async def test_at_the_end_everything_is_dropped() -> None:
    work = Work()
    async with Asides([work]) as asides:
        asides.closed(answered("One."))
        await _until(work, 1)
    asides.closed(_elsewhere(7))
    assert (work.begun, work.done) == (["One."], [])
