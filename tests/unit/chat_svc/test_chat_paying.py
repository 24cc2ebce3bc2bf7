"""What an answer may use when its hold cannot be extended, and what it costs in the end."""

import asyncio
from dataclasses import replace
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
    """Extends a hold to `most` units unless something is wrong; `asked` are the units that were wanted."""

    def __init__(self, *faults: MeshError, most: int = 1_000) -> None:
        self.asked: list[int] = []
        self._faults = list(faults)
        self._most = most

    async def extend(self, hold: str, meter: str, units: int, *, in_part: bool = False) -> int:
        self.asked.append(units)
        # As long as a call takes.
        await asyncio.sleep(0)
        if self._faults:
            raise self._faults.pop(0)
        if units > self._most and not in_part:
            raise EMPTY
        return min(units, self._most)


async def covered(ledger: Ledger, *tokens: int, turns_max: int = 100) -> tuple[list[bool], int]:
    """Whether an answer of so many tokens is paid for, again and again, and the turns that are held then."""
    paying = Paying(cast("Quota", ledger), ANSWER, TOKENS_PER_TURN, turns_max)
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


async def test_nor_is_it_where_the_ledger_is_asked_before_the_turn_is_used_up() -> None:
    paying = Paying(cast("Quota", Ledger(AWAY, AWAY)), ANSWER, TOKENS_PER_TURN, turns_max=100)
    assert [await paying.covers(tokens) for tokens in (101, 161)] == [True, True]
    # Until the ledger has answered.
    for _ in range(3):
        await asyncio.sleep(0)
    assert not await paying.covers(201)


async def test_beyond_the_most_that_an_answer_costs_nothing_is_held_and_nothing_ends() -> None:
    ledger = Ledger(EMPTY)
    assert await covered(ledger, 79, 101, 1_000, turns_max=1) == ([True, True, True], 1)
    assert ledger.asked == []
    assert await covered(Ledger(), 79, 101, 179, 250, 1_000, turns_max=2) == ([True] * 5, 2)


async def test_an_answer_that_a_ledger_was_away_for_ends_only_below_the_most_that_it_costs() -> None:
    assert await covered(Ledger(AWAY, AWAY), 101, 201, 1_000, turns_max=2) == ([True, True, True], 1)


async def test_below_the_most_that_it_costs_an_answer_ends_where_its_persons_credit_does() -> None:
    assert await covered(Ledger(EMPTY), 79, 101, turns_max=2) == ([True, False], 1)


async def cost(ledger: Ledger, tokens: int, turns_max: int = 100, units_max: int | None = None, said: int = 0) -> int:
    """What an answer costs that said so many tokens, and took so many."""
    paying = Paying(cast("Quota", ledger), DEAR, TOKENS_PER_TURN, turns_max, units_max)
    if said:
        await paying.covers(said)
    await paying.close()
    return await paying.cost(tokens)


# A turn costs 3 units of the meter that pays for its two images, too.
DEAR = replace(ANSWER, price=3, images=4, images_meter=ANSWER.meter)


@pytest.mark.parametrize(
    ("tokens", "turns", "asked"), [(0, 1, []), (1, 1, []), (100, 1, []), (101, 2, [10]), (300, 3, [13])]
)
async def test_what_is_not_held_in_the_end_is_held_at_once_and_only_then(
    tokens: int, turns: int, asked: list[int]
) -> None:
    ledger = Ledger()
    assert (await cost(ledger, tokens), ledger.asked) == (turns, asked)


@pytest.mark.parametrize(("most", "turns"), [(34, 10), (33, 9), (32, 9), (12, 2), (9, 1), (7, 1)])
async def test_in_the_end_an_answer_costs_as_much_as_there_is_credit_for(most: int, turns: int) -> None:
    assert await cost(Ledger(most=most), 1_000) == turns


@pytest.mark.parametrize(
    ("turns_max", "units_max", "turns"), [(4, None, 4), (100, 8, 2), (100, 2, 1), (2, 30, 2), (1, None, 1)]
)
async def test_an_answer_costs_no_more_than_its_longest_or_than_its_round_may(
    turns_max: int, units_max: int | None, turns: int
) -> None:
    assert await cost(Ledger(), 1_000, turns_max, units_max) == turns


@pytest.mark.parametrize("fault", [BUSY, AWAY, EMPTY], ids=lambda fault: fault.reason)
async def test_where_the_ledger_gives_nothing_an_answer_costs_what_is_held(fault: MeshError) -> None:
    assert await cost(Ledger(fault), 300) == 1


async def test_a_person_who_has_nothing_left_is_not_asked_for_more_again() -> None:
    ledger = Ledger(EMPTY)
    assert (await cost(ledger, 300, said=101), ledger.asked) == (1, [10])


async def test_what_was_not_held_while_a_ledger_was_away_is_paid_for_once_it_is_back() -> None:
    ledger = Ledger(AWAY)
    assert (await cost(ledger, 150, said=101), ledger.asked) == (2, [10, 10])
