"""What a process that ends tells of an answer that it leaves, and whose that is while the database is away."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from runtime.errors import Unavailable
from services.chat_svc.answering import handing_over
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.handing_over import Offering
from services.chat_svc.answering.paying import Paying
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.entry import Began, Entry, Said
from services.chat_svc.domain.fault import Fault
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.model import Class
from services.chat_svc.domain.outcome import Attempt, Spent
from services.chat_svc.domain.routing import Choice, Preference, Wanted
from tests.unit.chat_svc.messages import ANSWER

AWAY = Unavailable("Down.", reason="DATABASE_UNAVAILABLE")
CLASSES = frozenset({Class.PREMIUM})
LOG = (Began("second"), Said("Elem"))
EARLIER = Attempt("first", Fault.CUT)
HANDOVER = Handover(
    turns=3,
    tokens_per_turn=100,
    context_tokens=4_000,
    classes=CLASSES,
    choice=Choice("second", Preference.FAST, explain=True),
    seconds=30.0,
    attempts=(EARLIER, Attempt("second", Fault.HANDED_OVER, first_word_seconds=0.5)),
    units_max=9,
    turns_max=5,
)


class Answers:
    """The database is away so often for an offer, and whenever it is asked to take one back where `is_lost`."""

    def __init__(self, *, away: int = 0, is_taken: bool = True, is_lost: bool = False) -> None:
        self.offered: list[tuple[tuple[Entry, ...], Handover]] = []
        self._away = away
        self._is_taken = is_taken
        self._is_lost = is_lost

    async def offer(self, answer: Message, handover: Handover) -> bool:
        if self._away:
            self._away -= 1
            raise AWAY
        self.offered.append((answer.log, handover))
        return True

    async def is_offered(self, answer: Message) -> bool:
        return not self._is_taken

    async def take_back(self, answer: Message) -> bool:
        """It takes back what was offered alone."""
        if self._is_lost:
            raise AWAY
        return bool(self.offered)


class Redis:
    async def publish(self, *_: object) -> int:
        return 0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks all the time, and gives nothing up because the machine is slow."""
    monkeypatch.setattr(handing_over, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(handing_over, "UNHEARD_SECONDS_MAX", 60.0)


async def left(answers: Answers) -> bool:
    """Whether somebody took the answer."""
    wanted = Wanted(CLASSES, prompt_tokens=70, preference=Preference.FAST, asked="second")
    draft = Draft(cast("Any", SimpleNamespace()), 4_000, wanted, 100, explain=True)
    paying = Paying(cast("Any", None), ANSWER, 100, 5, 9, held=3)
    offering = Offering(cast("Any", answers), cast("Any", Redis()))
    spent = Spent((EARLIER,), first_word_seconds=0.5)
    return await offering.offer(ANSWER, draft, LOG, spent, 30.0, paying)


async def test_what_is_left_says_all_that_the_next_process_cannot_read_elsewhere() -> None:
    answers = Answers()
    assert await left(answers)
    assert answers.offered == [(LOG, HANDOVER)]


async def test_a_database_that_is_away_for_a_moment_is_asked_again() -> None:
    answers = Answers(away=2)
    assert await left(answers)
    assert answers.offered == [(LOG, HANDOVER)]


async def test_an_answer_that_nobody_could_be_told_of_is_still_its_processs_to_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handing_over, "UNHEARD_SECONDS_MAX", 0.01)
    answers = Answers(away=1_000_000)
    assert not await left(answers)
    assert answers.offered == []


async def test_an_answer_is_its_processs_to_end_where_nobody_knows_whether_it_could_be_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handing_over, "UNHEARD_SECONDS_MAX", 0.01)
    assert not await left(Answers(is_taken=False, is_lost=True))
