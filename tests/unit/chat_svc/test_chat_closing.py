"""The end of an answer: what its hold becomes, what is told of it, and in which order."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from runtime.errors import FailedPrecondition, MeshError, NotFound, OutOfRange, Unavailable
from services.chat_svc.answering.closing import Closing
from services.chat_svc.domain.conversation import Message, State
from tests.unit.chat_svc.messages import ANSWER, NOW

ENDED = replace(ANSWER, state=State.COMPLETE, text="Elementary.", charged=2)
NEVER = [
    FailedPrecondition("It was released.", reason="HOLD_RESOLVED"),
    NotFound("There is no such hold.", reason="HOLD_NOT_FOUND"),
    OutOfRange("More than is held.", reason="AMOUNT_EXCEEDS_HOLD"),
]


class Others:
    """All that has a part in an end; `told` is what was done, in order. The ledger fails with `fault`."""

    def __init__(self, fault: MeshError | None = None, *, is_owned: bool = True) -> None:
        self.told: list[tuple[str, object]] = []
        self._fault = fault
        self._is_owned = is_owned

    async def end(self, answer: Message | UUID, at: datetime | None = None) -> bool:
        """Of the row, and of the journal."""
        self.told.append(("kept" if isinstance(answer, Message) else "journal", None))
        return self._is_owned

    async def settle(self, answer: Message) -> int:
        if self._fault is not None:
            raise self._fault
        return 7

    async def release(self, hold: str) -> None:
        if self._fault is not None:
            raise self._fault

    async def hold_resolved(self, answer: Message, announced: object) -> None:
        self.told.append(("resolved", (answer.charged, answer.remaining)))
        self.told.append(("announced", announced))

    def ended(self, answer: Message, at: datetime) -> Any:
        return answer.charged, answer.remaining

    def closed(self, answer: Message) -> None:
        self.told.append(("closed", None))


async def told(others: Others, answer: Message = ENDED) -> list[tuple[str, object]]:
    part: Any = others
    await Closing(part, part, part, part, lambda: NOW, others.closed).close(answer)
    return others.told


async def test_the_row_is_kept_before_the_bill_and_the_bill_is_made_before_watchers_are_told() -> None:
    bill = 2, 7
    assert await told(Others()) == [
        ("kept", None),
        ("resolved", bill),
        ("announced", bill),
        ("journal", None),
        ("closed", None),
    ]


@pytest.mark.parametrize("fault", NEVER, ids=lambda fault: fault.reason)
async def test_a_hold_that_can_never_be_resolved_costs_nothing_and_is_not_tried_again(fault: MeshError) -> None:
    bill = 0, ENDED.remaining
    assert (await told(Others(fault)))[1:3] == [("resolved", bill), ("announced", bill)]


@pytest.mark.parametrize("charged", [0, 2])
async def test_a_hold_that_cannot_be_resolved_yet_is_left_as_it_is(charged: int) -> None:
    others = Others(Unavailable("Down.", reason="SIBLING_UNAVAILABLE"))
    assert await told(others, replace(ENDED, charged=charged)) == [("kept", None), ("journal", None), ("closed", None)]


async def test_who_does_not_own_an_answer_any_more_bills_and_tells_nothing() -> None:
    assert await told(Others(is_owned=False)) == [("kept", None)]
