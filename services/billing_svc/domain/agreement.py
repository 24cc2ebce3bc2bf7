"""What a user agreed on with one provider, and what of it is in force."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from services.billing_svc.domain.plan import Interval, Provider

# A renewal is told after the period has ended: an hour later as a rule, and the reconciliation finds it if it is lost.
RENEWAL_SLACK = timedelta(days=3)


class State(Enum):
    """How an agreement stands, as its provider says.

        TRIALING ─► ACTIVE ◄─► PAST_DUE ─► EXPIRED
                      ▲ ▲                     ▲
                      │ └─► PAUSED            │
                      └───► CANCELLED ────────┘

    CANCELLED renews no more and is in force until what was paid for ends.
    """

    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Agreement:
    """One subscription at a provider.

    `id` is the provider's. `start` is when it began: the months of its allowances begin at that day and hour.
    `period_end` is when what is paid for, or tried, ends. One that is PAST_DUE stays in force until `grace_end`.
    `revoked_until` is the end of the period whose payment went back to the buyer: its provider does not say it, the
    payments do. `customer` is the provider's id of the buyer, `trial` whether it ever began with one.
    """

    provider: Provider
    id: str
    user: str
    plan: str
    interval: Interval | None
    state: State
    start: datetime
    period_end: datetime
    grace_end: datetime | None = None
    resume_time: datetime | None = None
    next_plan: str | None = None
    next_interval: Interval | None = None
    revoked_until: datetime | None = None
    customer: str = ""
    trial: bool = False

    @property
    def ends(self) -> datetime:
        """From when on it gives nothing if nothing more is heard of it."""
        match self.state:
            case State.EXPIRED:
                return self.start
            case State.ACTIVE | State.TRIALING:
                return self.period_end + RENEWAL_SLACK
            case State.PAST_DUE:
                return self.grace_end or self.period_end
            case State.PAUSED | State.CANCELLED:
                return self.period_end

    def in_force(self, now: datetime) -> bool:
        """Whether it gives what its plan gives."""
        if self.state is State.EXPIRED or (self.revoked_until is not None and now < self.revoked_until):
            return False
        return now < self.ends

    def over(self, now: datetime) -> bool:
        """Whether nothing can come of it any more."""
        return self.state is State.EXPIRED or (self.state is State.CANCELLED and now >= self.period_end)

    def changes_at(self, now: datetime) -> datetime | None:
        """When time alone next changes whether it is in force; None when it does not."""
        if self.state is State.EXPIRED:
            return None
        moments = [moment for moment in (self.ends, self.revoked_until) if moment is not None and moment > now]
        return min(moments, default=None)

    def at(self, now: datetime) -> Agreement:
        """The agreement as a person sees it at `now`: one that is over has expired."""
        renews = self.state in (State.ACTIVE, State.TRIALING)
        return replace(self, state=State.EXPIRED) if self.over(now) or (renews and now >= self.ends) else self
