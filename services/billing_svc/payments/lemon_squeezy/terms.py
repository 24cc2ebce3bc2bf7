"""How a subscription of Lemon Squeezy's stands, from all states of it that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.billing_svc.domain.agreement import State
from services.billing_svc.payments.lemon_squeezy.objects import Subscription


@dataclass(frozen=True)
class Terms:
    """As in an agreement."""

    state: State
    period_end: datetime
    grace_end: datetime | None = None
    resume_time: datetime | None = None


def terms(history: Sequence[Subscription], grace: timedelta) -> Terms:
    """`history` is oldest first; each has a status that we know."""
    now = history[-1]
    match now.status:
        case "on_trial":
            return Terms(State.TRIALING, now.trial_ends_at or now.renews_at or now.updated_at)
        case "active":
            return Terms(State.ACTIVE, now.renews_at or now.ends_at or now.updated_at)
        case "paused":
            return Terms(State.PAUSED, _paid_until(history), resume_time=now.pause.resumes_at if now.pause else None)
        case "past_due" | "unpaid":
            unpaid_since = _paid_until(history)
            return Terms(State.PAST_DUE, unpaid_since, grace_end=unpaid_since + grace)
        case "cancelled":
            return Terms(State.CANCELLED, now.ends_at or now.renews_at or now.updated_at)
        case _:
            return Terms(State.EXPIRED, now.ends_at or now.updated_at)


def _paid_until(history: Sequence[Subscription]) -> datetime:
    """The end of the period that was paid for last.

    While nothing is paid, `renews_at` is the next attempt at it: the states before say it, or else when that began.
    """
    began = history[-1]
    for one in reversed(history):
        if one.status in ("active", "on_trial"):
            return one.renews_at or one.trial_ends_at or one.updated_at
        began = one
    return began.renews_at or began.updated_at if began.status == "paused" else began.updated_at
