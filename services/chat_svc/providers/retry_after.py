"""How long a provider wants to be left alone, as its headers tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# What Anthropic limits, each with a header for what remains and one for when it is whole again.
LIMITED = ("requests", "tokens", "input-tokens", "output-tokens")


def retry_after_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until a provider may be asked again, never below 0; None where it does not say.

    Of `retry-after-ms`, `retry-after` (RFC 9110: seconds, or a date) and Anthropic's resets, the first that is told
    counts. Dates are measured by the provider's own clock where the answer has its `date`.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    told = headers.get("retry-after")
    if (seconds := _number(told)) is not None:
        return seconds
    now = _date(headers.get("date")) or now
    waits = [until for until in (_date(told), _reset(headers)) if until is not None]
    return max(0.0, (waits[0] - now).total_seconds()) if waits else None


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When the last of Anthropic's limits that are used up is whole again."""
    used_up = [name for name in LIMITED if _number(headers.get(f"anthropic-ratelimit-{name}-remaining")) == 0]
    resets = [_timestamp(headers.get(f"anthropic-ratelimit-{name}-reset")) for name in used_up]
    return max((reset for reset in resets if reset is not None), default=None)


def _number(told: str | None) -> float | None:
    try:
        number = float(told or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _date(told: str | None) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(told or ""))
    except (ValueError, OverflowError):
        return None


def _timestamp(told: str | None) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(told or ""))
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
