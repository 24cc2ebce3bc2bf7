"""How long a provider wants to be left alone."""

from datetime import UTC, datetime

import pytest

from services.chat_svc.providers.retry_after import retry_after_seconds

NOW = datetime(2026, 11, 21, 15, 0, 0, tzinfo=UTC)


def _resets(**limits: tuple[int, str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, (remaining, reset) in limits.items():
        prefix = f"anthropic-ratelimit-{name.replace('_', '-')}"
        headers |= {f"{prefix}-remaining": str(remaining), f"{prefix}-reset": reset}
    return headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after-ms": "", "retry-after": "2"}, 2.0),
        ({"retry-after": "Sat, 21 Nov 2026 15:00:20 GMT"}, 20.0),
        ({"retry-after": "Sat, 21 Nov 2026 14:00:00 GMT"}, 0.0),
        ({"retry-after": "Sat, 21 Nov 2026 15:00:20 GMT", "date": "Sat, 21 Nov 2026 15:00:15 GMT"}, 5.0),
        ({"retry-after": "Sat, 21 Nov 2026 15:00:20 -0000", "date": "today"}, 20.0),
        ({"retry-after": "Sat, 21 Nov 2026 25:00:20 GMT"}, None),
        ({"retry-after": "Sat, 21 Nov 2026 15:00:20 +9999999999999999"}, None),
        ({"retry-after": "Sat, 21 Nov 99999999999999999999 15:00:20 GMT"}, None),
    ],
)
def test_a_wait_is_told_in_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (_resets(requests=(0, "2026-11-21T15:00:08Z"), tokens=(900, "2026-11-21T15:00:40Z")), 8.0),
        (_resets(requests=(0, "2026-11-21T15:00:08Z"), input_tokens=(0, "2026-11-21T15:00:30Z")), 30.0),
        (_resets(requests=(3, "2026-11-21T15:00:08Z")), None),
        (_resets(tokens=(0, "later")), None),
        ({**_resets(tokens=(0, "2026-11-21T15:00:30Z")), "retry-after": "4"}, 4.0),
    ],
)
def test_anthropics_resets_count_for_the_limits_that_are_used_up(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after_seconds(headers, NOW) == seconds
