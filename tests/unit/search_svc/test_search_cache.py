from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest

from scenemesh.search.v1.search_pb2 import SuggestResponse
from services.search_svc.cache import QueryCache, Statistics


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make() -> Callable[[], SuggestResponse]:
    """Every answer is another one."""
    numbers = count(1)
    return lambda: SuggestResponse(sequence=next(numbers))


def cache(clock: Clock, *, entries_max: int = 10, hits_max: int = 1000) -> QueryCache:
    kept = QueryCache(clock, entries_max=entries_max, hits_max=hits_max, lifetime_seconds=300)
    kept.swap(1)
    return kept


def test_an_answer_is_made_once(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock)
    answers = [kept.answer(1, "matrix", 10, make).sequence for _ in range(3)]
    assert answers == [1, 1, 1]
    assert kept.answer(1, "alien", 10, make).sequence == 2


def test_an_answer_is_believed_for_its_lifetime(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock)
    answers = []
    for clock.seconds in (0.0, 299.9, 300.0, 599.9, 600.0):
        answers.append(kept.answer(1, "matrix", 10, make).sequence)
    assert answers == [1, 1, 2, 2, 3]
    assert kept.statistics().entries == 1


def test_the_answers_that_were_used_least_lately_go_first(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock, entries_max=2)
    answers = [kept.answer(1, key, 10, make).sequence for key in ("a", "b", "a", "c", "a", "b")]
    assert answers == [1, 2, 1, 3, 1, 4]


def test_long_answers_count_for_more(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock, hits_max=100)
    for key in range(9):
        kept.answer(1, key, 10, make)
    kept.answer(1, "page", 100, make)
    assert kept.statistics().entries == 1
    assert kept.answer(1, "page", 100, make).sequence == 10


def test_an_answer_that_is_longer_than_all_may_be_is_not_kept(
    clock: Clock, make: Callable[[], SuggestResponse]
) -> None:
    kept = cache(clock, hits_max=5)
    assert [kept.answer(1, "page", 6, make).sequence for _ in range(2)] == [1, 2]
    assert kept.statistics().entries == 0


def test_another_index_empties_it(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock)
    kept.answer(1, "matrix", 10, make)
    kept.swap(2)
    assert kept.statistics().entries == 0
    assert kept.answer(2, "matrix", 10, make).sequence == 2


def test_a_late_answer_of_the_index_before_is_given_and_not_kept(
    clock: Clock, make: Callable[[], SuggestResponse]
) -> None:
    kept = cache(clock)

    def swapped_meanwhile() -> SuggestResponse:
        kept.swap(2)
        return make()

    assert kept.answer(1, "matrix", 10, swapped_meanwhile).sequence == 1
    assert kept.answer(2, "matrix", 10, make).sequence == 2
    assert kept.answer(1, "matrix", 10, make).sequence == 3
    assert kept.answer(2, "matrix", 10, make).sequence == 2


def test_the_index_that_is_rolled_back_to_begins_anew(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock)
    kept.answer(1, "matrix", 10, make)
    kept.swap(2)
    kept.swap(1)
    assert kept.answer(1, "matrix", 10, make).sequence == 2


def test_nothing_is_kept_before_an_index_is_in_service(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = QueryCache(clock)
    assert [kept.answer(1, "matrix", 10, make).sequence for _ in range(2)] == [1, 2]


def test_an_answer_that_cannot_be_made_is_tried_again(clock: Clock, make: Callable[[], SuggestResponse]) -> None:
    kept = cache(clock)

    def fail() -> SuggestResponse:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        kept.answer(1, "matrix", 10, fail)
    assert kept.answer(1, "matrix", 10, make).sequence == 1


def test_it_says_how_often_it_helped_and_how_long_the_rest_took(clock: Clock) -> None:
    kept = cache(clock)
    assert kept.statistics() == Statistics()

    def taking(milliseconds: int) -> Callable[[], SuggestResponse]:
        def make() -> SuggestResponse:
            clock.seconds += milliseconds / 1000
            return SuggestResponse()

        return make

    for milliseconds in range(1, 101):
        kept.answer(1, milliseconds, 0, taking(milliseconds))
    kept.answer(1, 100, 0, taking(5000))
    assert kept.statistics() == Statistics(
        queries=101,
        hits=1,
        entries=10,
        p50=timedelta(milliseconds=50),
        p99=timedelta(milliseconds=99),
    )


def test_only_the_last_thousand_durations_count(clock: Clock) -> None:
    kept = cache(clock, entries_max=1)

    def slow() -> SuggestResponse:
        clock.seconds += 1
        return SuggestResponse()

    kept.answer(1, "slow", 0, slow)
    for key in range(1000):
        kept.answer(1, key, 0, SuggestResponse)
    told = kept.statistics()
    assert (told.queries, told.p50, told.p99) == (1001, timedelta(), timedelta())
