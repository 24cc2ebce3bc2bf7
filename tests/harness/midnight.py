"""The end of a day, which no test that counts turns may see."""

from datetime import datetime, timedelta

# No test takes longer, on a slow machine either.
DAY_LEFT_MIN = timedelta(seconds=240)


def seconds_to_wait(now: datetime) -> float:
    """How long a test that would begin now waits: until the day is over, where that is soon, and else not at all."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left = midnight - now
    return left.total_seconds() if left < DAY_LEFT_MIN else 0
