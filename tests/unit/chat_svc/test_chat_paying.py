"""What an answer may use when its hold cannot be extended."""

from typing import cast

import pytest

from runtime.errors import MeshError, Overloaded, QuotaExhausted, Unavailable
from services.chat_svc.answering.paying import Paying
from services.chat_svc.siblings import Quota
from tests.unit.chat_svc.messages import ANSWER

TOKENS_PER_TURN = 100

EMPTY = QuotaExhausted("Used up.", subject="users/alice/meters/chat", metadata={})
BUSY = Overloaded("Too many changes wait already.", reason="QUEUE_FULL", retry_after_seconds=0.5)
AWAY = Unavailable("Down.", reason="SIBLING_UNAVAILABLE")


class Ledger:
    """Extends a hold unless something is wrong; `asked` are the units that were wanted."""

    def __init__(self, *faults: MeshError) -> None:
        self.asked: list[int] = []
        self._faults = list(faults)

    async def extend(self, hold: str, meter: str, units: int) -> None:
        self.asked.append(units)
        if self._faults:
            raise self._faults.pop(0)


async def covered(ledger: Ledger, *tokens: int) -> tuple[list[bool], int]:
    """Whether an answer of so many tokens is paid for, again and again, and the turns that are held then."""
    paying = Paying(cast("Quota", ledger), ANSWER, TOKENS_PER_TURN)
    told = [await paying.covers(count) for count in tokens]
    await paying.close()
    return told, paying.held


async def test_an_answer_that_grows_holds_the_next_turn() -> None:
    assert await covered(Ledger(), 79, 101, 150) == ([True, True, True], 2)


async def test_an_answer_ends_where_its_persons_credit_does() -> None:
    assert await covered(Ledger(EMPTY), 79, 101) == ([True, False], 1)


@pytest.mark.parametrize("fault", [BUSY, AWAY], ids=lambda fault: fault.reason)
async def test_a_ledger_that_is_busy_or_away_is_asked_again_a_turn_later_and_ends_no_answer(fault: MeshError) -> None:
    ledger = Ledger(fault)
    assert await covered(ledger, 79, 101, 150, 201, 250) == ([True, True, True, True, True], 2)
    assert ledger.asked == [2, 2]


@pytest.mark.parametrize("fault", [BUSY, AWAY], ids=lambda fault: fault.reason)
async def test_more_than_one_turn_is_not_given_on_trust(fault: MeshError) -> None:
    assert await covered(Ledger(fault, fault), 101, 201) == ([True, False], 1)
