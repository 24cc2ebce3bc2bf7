"""Plans and subscriptions as values, and what of a subscription is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

FREE = "free"


class Interval(Enum):
    """What is paid for in advance."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Period(Enum):
    """How often an allowance starts anew; ROLLING never does all at once: each unit comes back by itself."""

    DAY = "day"
    MONTH = "month"
    ROLLING = "rolling"


class State(Enum):
    """How a subscription stands."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    PAUSED = "paused"


@dataclass(frozen=True)
class Price:
    """What one interval costs, in US cents."""

    interval: Interval
    cents: int


@dataclass(frozen=True)
class Allowance:
    """Units of a meter in every period; `amount` is None where there is no limit.

    `window` is the length of a rolling one; of what is unused, up to `rollover` lives on into the next period. A
    `shadow` limit is watched and not enforced.
    """

    meter: str
    amount: int | None
    period: Period
    window: timedelta | None = None
    rollover: int = 0
    shadow: bool = False


@dataclass(frozen=True)
class Plan:
    """A plan on offer; the free one has no prices."""

    slug: str
    display_name: str
    prices: tuple[Price, ...]
    allowances: tuple[Allowance, ...]
    context_tokens: int

    @property
    def entry_cents(self) -> int:
        """The least that one must pay to be on it, in US cents."""
        return min((price.cents for price in self.prices), default=0)


def cheapest_first(plans: tuple[Plan, ...]) -> tuple[Plan, ...]:
    """The plans by the least that each asks for."""
    return tuple(sorted(plans, key=lambda plan: (plan.entry_cents, plan.slug)))


@dataclass(frozen=True)
class Subscription:
    """A user's subscription; `period_end` is None on the free plan."""

    user: str
    plan: str = FREE
    state: State = State.ACTIVE
    period_end: datetime | None = None

    def at(self, now: datetime) -> Subscription:
        """The subscription as it stands at `now`: a cancelled one whose paid period is over is the free plan again."""
        over = self.state is State.CANCELLED and (self.period_end is None or self.period_end <= now)
        return Subscription(self.user) if over else self
