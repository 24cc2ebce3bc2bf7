from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.local.stripe.periods import later, period_end, share


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "then"),
    [
        ("2026-01-31T10:00", "month", 1, "2026-02-28T10:00"),
        ("2026-01-31T10:00", "month", 2, "2026-03-31T10:00"),
        ("2028-02-29T00:00", "year", 1, "2029-02-28T00:00"),
        ("2026-12-15T23:59", "month", 1, "2027-01-15T23:59"),
        ("2026-03-28T12:00", "week", 1, "2026-04-04T12:00"),
    ],
)
def test_periods_follow_the_calendar(anchor: str, interval: str, count: int, then: str) -> None:
    assert later(at(anchor), interval, count) == at(then)


def test_the_day_of_the_anchor_comes_back_after_a_short_month() -> None:
    anchor = at("2026-01-31T10:00")
    february = period_end(anchor, anchor, "month")
    assert february == at("2026-02-28T10:00")
    assert period_end(anchor, february, "month") == at("2026-03-31T10:00")


@given(
    anchor=st.integers(at("2020-01-01T00:00"), at("2030-01-01T00:00")),
    after=st.integers(0, 5 * 366 * 86_400),
    interval=st.sampled_from(["day", "week", "month", "year"]),
)
def test_a_period_ends_after_it_begins_and_no_later_than_one_interval(anchor: int, after: int, interval: str) -> None:
    start = anchor + after
    end = period_end(anchor, start, interval)
    assert start < end <= start + 366 * 86_400
    assert period_end(anchor, end, interval) > end


@given(amount=st.integers(-100_000, 100_000), part=st.integers(0, 10**8), whole=st.integers(1, 10**8))
def test_a_part_and_the_rest_are_the_whole(amount: int, part: int, whole: int) -> None:
    part = min(part, whole)
    both = share(amount, part, whole) + share(amount, whole - part, whole)
    assert abs(both - amount) <= 1
    assert share(amount, whole, whole) == amount
