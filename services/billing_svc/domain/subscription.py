"""A user's subscription: all their agreements merged into one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.plan import FREE, Catalogue, Provider

PRECEDENCE = {provider: place for place, provider in enumerate(Provider)}


@dataclass(frozen=True)
class Subscription:
    """What a user has. `counts` is the agreement that gives it; None on the free plan, unless one is paused or unpaid.

    `others` are the agreements that stand by, best first.
    """

    user: str
    plan: str = FREE
    state: State = State.ACTIVE
    counts: Agreement | None = None
    others: tuple[Agreement, ...] = ()

    @property
    def key(self) -> tuple[str, str] | None:
        """The agreement that counts, by provider and id."""
        return (self.counts.provider.value, self.counts.id) if self.counts else None


def merged(user: str, agreements: Iterable[Agreement], catalogue: Catalogue, now: datetime) -> Subscription:
    """Of several in force the one with the best plan counts, then the one that is paid for longest.

    Where none is in force, one that is unpaid or paused says how the subscription stands; the plan is the free one.
    """
    alive = sorted(
        (one.at(now) for one in agreements if not one.over(now)),
        key=lambda one: (
            not one.in_force(now),
            -catalogue.rank(one.plan),
            -one.period_end.timestamp(),
            PRECEDENCE[one.provider],
            one.id,
        ),
    )
    alive = [one for one in alive if one.state is not State.EXPIRED]
    if alive and alive[0].in_force(now):
        best = alive[0]
        return Subscription(user, best.plan, best.state, best, tuple(alive[1:]))
    waiting = [one for one in alive if one.state in (State.PAST_DUE, State.PAUSED)]
    if waiting:
        rest = tuple(one for one in alive if one is not waiting[0])
        return Subscription(user, FREE, waiting[0].state, waiting[0], rest)
    return Subscription(user, others=tuple(alive))


def changes_at(agreements: Iterable[Agreement], now: datetime) -> datetime | None:
    """When time alone next changes what a user has."""
    moments = [moment for one in agreements if (moment := one.changes_at(now))]
    return min(moments, default=None)
