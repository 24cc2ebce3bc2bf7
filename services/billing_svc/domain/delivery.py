"""What a provider sent, from its receipt to its end, and how often it is worked on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from services.billing_svc.domain.plan import Provider

# The waits between attempts. A delivery that fails after the last of them, some seven hours after the first attempt,
# is dead.
RETRIES = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
ATTEMPTS_MAX = len(RETRIES) + 1

# While somebody is away whom the work needs, it waits for a quarter of its age, within these.
AWAY_MIN = timedelta(seconds=1)
AWAY_MAX = timedelta(minutes=5)


class DeliveryState(Enum):
    """How a delivery stands.

        PENDING ─► DONE, IGNORED, DEAD

    A replay makes any of them PENDING again.
    """

    PENDING = "pending"
    DONE = "done"
    IGNORED = "ignored"
    DEAD = "dead"


@dataclass(frozen=True)
class InboxEntry:
    """A delivery without its body. `due_time` is when it is worked on next, `end_time` when it came to its end."""

    id: UUID
    provider: Provider
    event_id: str
    event_type: str
    state: DeliveryState
    detail: str
    attempts: int
    receive_time: datetime
    due_time: datetime | None
    end_time: datetime | None


def pause(attempts: int) -> timedelta | None:
    """How long a delivery waits after so many attempts have failed; None when it is given up."""
    return RETRIES[attempts - 1] if attempts < ATTEMPTS_MAX else None


def away_pause(age: timedelta) -> timedelta:
    """How long a delivery of that age waits for somebody who is away: never so long that it is given up."""
    return min(max(age / 4, AWAY_MIN), AWAY_MAX)
