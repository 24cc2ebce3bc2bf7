"""What is seen of an answer that is not shown whole yet, or that has ended and whose bill is not made yet."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from services.chat_svc.answering.journal import Batch, Lull
from services.chat_svc.answering.watching import Watching
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.ending import Completed, ended
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.log import ended_log
from services.chat_svc.domain.outcome import FinishReason
from services.chat_svc.store import Begun
from tests.unit.chat_svc.messages import ANSWER, QUESTION

ENTRIES: list[Entry] = [Began("first"), Said("Elem"), Said("entary.")]
ENDED = ended(ANSWER, ENTRIES, Completed(FinishReason.STOP))
UNPAID = replace(ENDED, charged=1, unpaid=True)
PAID = replace(ENDED, charged=1, remaining=4)


class Answers:
    answer = UNPAID

    async def get(self, *_: object) -> Begun:
        return Begun(QUESTION, self.answer, new=False)


class Journal:
    """Has all that was said; its `end` is written when the bill is made."""

    def __init__(self, *, lulls: bool = False) -> None:
        self.said, self.end = asyncio.Event(), asyncio.Event()
        self._lulls = lulls

    async def follow(self, _: UUID) -> AsyncGenerator[Batch | Lull, None]:
        yield 1, ENTRIES
        self.said.set()
        while self._lulls:
            await asyncio.sleep(0)
            yield Lull.QUIET
        await self.end.wait()


def watching(answers: Answers, journal: Journal) -> Watching:
    nobody = SimpleNamespace(log=lambda _: None)
    return Watching(*(cast("Any", part) for part in (answers, None, nobody, journal)))


async def test_the_end_waits_for_the_bill() -> None:
    answers, journal = Answers(), Journal()
    seen = asyncio.create_task(_seen(watching(answers, journal), UNPAID))
    async with asyncio.timeout(60):
        await journal.said.wait()
    assert not seen.done()
    answers.answer = PAID
    journal.end.set()
    assert await seen == list(ended_log(QUESTION, PAID))


async def test_a_bill_that_is_long_in_coming_is_not_waited_for() -> None:
    async with asyncio.timeout(60):
        assert await _seen(watching(Answers(), Journal(lulls=True)), UNPAID) == list(ended_log(QUESTION, UNPAID))


async def test_who_waits_for_the_bill_of_an_answer_that_they_saw_hears_nothing_twice() -> None:
    async with asyncio.timeout(60):
        seen = await _seen(watching(Answers(), Journal(lulls=True)), ANSWER)
    assert seen == list(ended_log(QUESTION, UNPAID))


async def test_a_message_shows_no_more_of_its_text_than_watchers_have_seen() -> None:
    here = SimpleNamespace(log=lambda _: SimpleNamespace(entries=ENTRIES, shown=2))
    looking = Watching(*(cast("Any", part) for part in (None, None, here, None)))
    assert (await looking.so_far(ANSWER)).text == "Elem"


async def _seen(watching: Watching, answer: Message) -> list[object]:
    return [event async for event in watching.events(Begun(QUESTION, answer, new=False), 0)]
