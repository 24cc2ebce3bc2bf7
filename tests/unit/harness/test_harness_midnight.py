"""Tests begin at any time of a day, but not so late that it ends meanwhile."""

from datetime import UTC, datetime

import pytest

from tests.harness.midnight import seconds_to_wait


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("00:00:00", 0),
        ("00:03:59", 0),
        ("12:58:00", 0),
        ("23:55:59", 0),
        ("23:56:00", 0),
        ("23:56:00.5", 239.5),
        ("23:58:30", 90),
        ("23:59:59.75", 0.25),
    ],
)
def test_whoever_comes_late_waits_for_the_next_day(time: str, seconds: float) -> None:
    for day in ("2026-11-22", "2026-12-31", "2028-02-28"):
        assert seconds_to_wait(datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC)) == seconds
