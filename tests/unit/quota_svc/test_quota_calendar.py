from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota_svc.domain.calendar import Calendar, Period, Window

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",
    "Asia/Beirut",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Havana",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)

moments = st.datetimes(datetime(2011, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def day(zone: str, moment: str) -> Window:
    return Calendar(zone).window(Period.DAY, at(moment))


@pytest.mark.parametrize(
    ("zone", "moment", "begins", "ends"),
    [
        ("UTC", "2026-11-21T23:59:59.999999+00:00", "2026-11-21T00:00+00:00", "2026-11-22T00:00+00:00"),
        ("UTC", "2026-11-22T00:00+00:00", "2026-11-22T00:00+00:00", "2026-11-23T00:00+00:00"),
        ("Asia/Tokyo", "2026-11-21T15:00+00:00", "2026-11-22T00:00+09:00", "2026-11-23T00:00+09:00"),
        # 23 hours and 25 hours.
        ("Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
        ("Europe/Berlin", "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),
        # There is no midnight: the day begins at one, when the clocks go forward.
        ("America/Sao_Paulo", "2018-11-04T12:00-02:00", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00"),
        ("America/Sao_Paulo", "2018-11-03T23:59-03:00", "2018-11-03T00:00-03:00", "2018-11-04T01:00-02:00"),
        ("Asia/Beirut", "2026-03-29T12:00+03:00", "2026-03-29T01:00+03:00", "2026-03-30T00:00+03:00"),
        # The hour before midnight comes twice: the day has 25 hours.
        ("America/Sao_Paulo", "2018-02-17T23:30-03:00", "2018-02-17T00:00-02:00", "2018-02-18T00:00-03:00"),
        # Midnight comes twice: the day begins at the first.
        ("Atlantic/Azores", "2026-10-25T00:30-01:00", "2026-10-25T00:00+00:00", "2026-10-26T00:00-01:00"),
        # Half an hour more.
        ("Australia/Lord_Howe", "2026-04-05T12:00+10:30", "2026-04-05T00:00+11:00", "2026-04-06T00:00+10:30"),
        # 30 December 2011 did not happen.
        ("Pacific/Apia", "2011-12-29T12:00-10:00", "2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00"),
        ("Pacific/Apia", "2011-12-31T00:00+14:00", "2011-12-31T00:00+14:00", "2012-01-01T00:00+14:00"),
    ],
)
def test_a_day_is_from_midnight_to_midnight_by_the_user_s_clock(zone: str, moment: str, begins: str, ends: str) -> None:
    assert day(zone, moment) == Window(at(begins), at(ends))


@pytest.mark.parametrize(
    ("anchor", "moment", "begins", "ends"),
    [
        (None, "2026-11-21T12:00+00:00", "2026-11-01T00:00+00:00", "2026-12-01T00:00+00:00"),
        (None, "2026-12-31T23:59:59+00:00", "2026-12-01T00:00+00:00", "2027-01-01T00:00+00:00"),
        ("2026-01-15T10:30+00:00", "2026-11-15T10:29:59+00:00", "2026-10-15T10:30+00:00", "2026-11-15T10:30+00:00"),
        ("2026-01-15T10:30+00:00", "2026-11-15T10:30+00:00", "2026-11-15T10:30+00:00", "2026-12-15T10:30+00:00"),
        ("2026-01-15T10:30+00:00", "2026-01-01T00:00+00:00", "2025-12-15T10:30+00:00", "2026-01-15T10:30+00:00"),
        # Months without such a day begin on their last one, and those after them on the day again.
        ("2026-01-29T08:00+00:00", "2026-02-28T08:00+00:00", "2026-02-28T08:00+00:00", "2026-03-29T08:00+00:00"),
        ("2026-01-30T08:00+00:00", "2026-03-01T00:00+00:00", "2026-02-28T08:00+00:00", "2026-03-30T08:00+00:00"),
        ("2026-01-31T08:00+00:00", "2026-04-30T07:59+00:00", "2026-03-31T08:00+00:00", "2026-04-30T08:00+00:00"),
        ("2026-01-31T08:00+00:00", "2026-05-01T00:00+00:00", "2026-04-30T08:00+00:00", "2026-05-31T08:00+00:00"),
        ("2026-01-31T08:00+00:00", "2028-02-29T09:00+00:00", "2028-02-29T08:00+00:00", "2028-03-31T08:00+00:00"),
    ],
)
def test_a_month_is_from_its_first_or_its_anchor_to_the_next(
    anchor: str | None, moment: str, begins: str, ends: str
) -> None:
    calendar = Calendar(anchor=at(anchor) if anchor is not None else None)
    assert calendar.window(Period.MONTH, at(moment)) == Window(at(begins), at(ends))


def test_an_anchor_s_day_and_hour_are_those_of_the_user_s_clock() -> None:
    calendar = Calendar("Asia/Tokyo", at("2026-01-14T20:00+00:00"))
    assert calendar.window(Period.MONTH, at("2026-11-21T12:00+00:00")) == Window(
        at("2026-11-15T05:00+09:00"), at("2026-12-15T05:00+09:00")
    )


def test_an_anchor_keeps_its_hour_when_the_clocks_change_and_goes_on_with_them_when_it_is_left_out() -> None:
    summer = Calendar("Europe/Berlin", at("2026-01-29T12:00+01:00"))
    assert summer.window(Period.MONTH, at("2026-04-01T00:00+00:00")).start == at("2026-03-29T12:00+02:00")
    gap = Calendar("Europe/Berlin", at("2026-01-29T02:30+01:00"))
    assert gap.window(Period.MONTH, at("2026-04-01T00:00+00:00")).start == at("2026-03-29T03:30+02:00")


@given(
    zone=st.sampled_from(ZONES),
    period=st.sampled_from([Period.DAY, Period.MONTH]),
    moment=moments,
    anchor=st.none() | moments,
)
def test_every_instant_lies_in_one_window_and_windows_leave_no_gap(
    zone: str, period: Period, moment: datetime, anchor: datetime | None
) -> None:
    calendar = Calendar(zone, anchor)
    window = calendar.window(period, moment)
    assert window.start <= moment < window.end
    assert calendar.window(period, window.start) == window
    assert calendar.window(period, window.end - timedelta(microseconds=1)) == window
    assert calendar.window(period, window.end).start == window.end


@given(zone=st.sampled_from(ZONES), moment=moments)
def test_a_day_is_a_date_of_the_user_s_clock(zone: str, moment: datetime) -> None:
    window, clock = Calendar(zone).window(Period.DAY, moment), ZoneInfo(zone)
    last = window.end - timedelta(microseconds=1)
    dates = {one.astimezone(clock).date() for one in (window.start, moment, last)}
    assert dates == {moment.astimezone(clock).date()}
    assert (window.start - timedelta(microseconds=1)).astimezone(clock).date() not in dates
    assert window.end.astimezone(clock).date() not in dates


def test_an_instant_is_told_as_the_user_s_clock_shows_it() -> None:
    assert Calendar("Asia/Kathmandu").local(at("2026-11-21T18:15:00.5+00:00")) == "2026-11-22T00:00:00+05:45"
