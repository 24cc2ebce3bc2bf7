"""Periods as buyers count them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing_svc.domain.plan import Interval
from services.billing_svc.payments.calendar import one_later


@pytest.mark.parametrize(
    ("start", "interval", "end"),
    [
        ("2026-03-15T10:30", Interval.WEEK, "2026-03-22T10:30"),
        ("2026-03-15T10:30", Interval.MONTH, "2026-04-15T10:30"),
        ("2026-01-31T10:30", Interval.MONTH, "2026-02-28T10:30"),
        ("2028-01-31T10:30", Interval.MONTH, "2028-02-29T10:30"),
        ("2026-12-31T10:30", Interval.MONTH, "2027-01-31T10:30"),
        ("2026-12-01T10:30", Interval.YEAR, "2027-12-01T10:30"),
        ("2028-02-29T10:30", Interval.YEAR, "2029-02-28T10:30"),
    ],
)
def test_an_interval_ends_at_the_same_hour_of_the_same_day(start: str, interval: Interval, end: str) -> None:
    assert one_later(datetime.fromisoformat(f"{start}Z"), interval) == datetime.fromisoformat(f"{end}Z")


@given(st.datetimes(max_value=datetime(9000, 1, 1), timezones=st.just(UTC)), st.sampled_from(Interval))  # noqa: DTZ001
def test_no_interval_is_empty(start: datetime, interval: Interval) -> None:
    assert start < one_later(start, interval)
