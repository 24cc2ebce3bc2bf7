"""How long weeks, months and years are, and what a part of one costs."""

from calendar import monthrange
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

DAY_SECONDS = 86_400
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def _months_later(anchor: int, months: int) -> int:
    """The same day so many months later, or the last of its month where there is none."""
    start = datetime.fromtimestamp(anchor, UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def later(anchor: int, interval: str, count: int) -> int:
    """`count` intervals after the anchor."""
    if interval in DAYS:
        return anchor + DAYS[interval] * DAY_SECONDS * count
    return _months_later(anchor, MONTHS[interval] * count)


def period_end(anchor: int, start: int, interval: str, count: int = 1) -> int:
    """The first end of a period after `start`; periods are counted from the anchor, so that the 31st comes back."""
    number = 0
    if interval in DAYS:
        number = max(0, (start - anchor) // (DAYS[interval] * DAY_SECONDS * count))
    while (end := later(anchor, interval, count * number)) <= start:
        number += 1
    return end


def share(amount: int, part_seconds: int, whole_seconds: int) -> int:
    """The part of an amount, by the second, rounded half up away from nothing."""
    if whole_seconds <= 0:
        return 0
    exact = Decimal(amount) * max(0, part_seconds) / Decimal(whole_seconds)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))
