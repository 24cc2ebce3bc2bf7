"""Periods as buyers count them."""

from __future__ import annotations

from calendar import monthrange
from datetime import datetime, timedelta

from services.billing_svc.domain.plan import Interval

MONTHS = {Interval.MONTH: 1, Interval.YEAR: 12}


def one_later(moment: datetime, interval: Interval) -> datetime:
    """The same hour, an interval later; at the month's last day where it has no such day."""
    if interval is Interval.WEEK:
        return moment + timedelta(weeks=1)
    years, month = divmod(moment.month - 1 + MONTHS[interval], 12)
    year = moment.year + years
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
