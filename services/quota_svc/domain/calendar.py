"""When periods begin and end, by the user's own clock.

Days begin at local midnight. Months begin at local midnight on the first, or, where a subscription anchors them, at its
own day and hour; a month that has no such day begins on its last one. Where a change of daylight-saving time leaves the
beginning out, the period begins as much later as the clocks are put forward; where it repeats it, at the first of both.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

MONTHS_A_YEAR = 12


class Period(Enum):
    """How often an allowance starts anew; ROLLING never does as a whole: each unit comes back by itself."""

    DAY = "day"
    MONTH = "month"
    ROLLING = "rolling"


@dataclass(frozen=True, slots=True)
class Window:
    """The instants from `start` up to, and without, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """A user's clock: `zone` is an IANA name, `anchor` the instant that their months are counted from."""

    zone: str = "UTC"
    anchor: datetime | None = None

    def window(self, period: Period, now: datetime) -> Window:
        """The day or month that `now` lies in."""
        if period is Period.DAY:
            today = now.astimezone(ZoneInfo(self.zone)).date()
            return Window(self._instant(today, time()), self._instant(today + timedelta(days=1), time()))
        return self._month(now)

    def local(self, moment: datetime) -> str:
        """RFC 3339, as the user's clock shows it."""
        return moment.astimezone(ZoneInfo(self.zone)).isoformat(timespec="seconds")

    def _month(self, now: datetime) -> Window:
        today = now.astimezone(ZoneInfo(self.zone)).date()
        month = today.year * MONTHS_A_YEAR + today.month - 1
        # The month that has begun last by its name may begin later than `now` by its day and hour.
        return next(window for window in (self._numbered(month), self._numbered(month - 1)) if window.start <= now)

    def _numbered(self, month: int) -> Window:
        return Window(self._beginning(month), self._beginning(month + 1))

    def _beginning(self, month: int) -> datetime:
        anchor = self.anchor.astimezone(ZoneInfo(self.zone)) if self.anchor is not None else None
        year, index = divmod(month, MONTHS_A_YEAR)
        day = min(anchor.day if anchor is not None else 1, monthrange(year, index + 1)[1])
        return self._instant(date(year, index + 1, day), anchor.time() if anchor is not None else time())

    def _instant(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)
