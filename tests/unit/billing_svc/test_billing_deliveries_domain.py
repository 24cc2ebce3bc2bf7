from datetime import timedelta

import pytest

from services.billing_svc.domain.delivery import ATTEMPTS_MAX, AWAY_MAX, AWAY_MIN, away_pause, pause


def test_a_delivery_is_tried_for_some_seven_hours_and_then_given_up() -> None:
    waits = [pause(attempts) for attempts in range(1, ATTEMPTS_MAX + 1)]
    assert waits[-1] is None
    told = [wait for wait in waits if wait is not None]
    assert told == sorted(told)
    assert sum(told, timedelta()) == timedelta(hours=7, minutes=12, seconds=36)


def test_what_has_failed_more_often_than_it_may_is_given_up() -> None:
    assert pause(ATTEMPTS_MAX + 1) is None


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(seconds=-5), AWAY_MIN),
        (timedelta(), AWAY_MIN),
        (timedelta(minutes=4), timedelta(minutes=1)),
        (timedelta(days=400), AWAY_MAX),
    ],
)
def test_whoever_is_away_is_waited_for_with_patience_and_for_ever(age: timedelta, wait: timedelta) -> None:
    assert away_pause(age) == wait
