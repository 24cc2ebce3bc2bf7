"""Moving from what one has to another plan or interval, and which agreement is meant by that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.plan import Catalogue, Interval, PlanArticle, Provider
from services.billing_svc.domain.subscription import Subscription

LENGTHS = {interval: length for length, interval in enumerate(Interval)}
STORES = (Provider.REVENUECAT, Provider.LEMON_SQUEEZY)
# Where money will be taken again, now or after a pause, unless somebody does something.
RENEWING = (State.TRIALING, State.ACTIVE, State.PAST_DUE, State.PAUSED)
RUNNING = (State.TRIALING, State.ACTIVE)


class Move(Enum):
    """UPGRADE is in force and paid for at once, DOWNGRADE when the period ends."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    SAME = "same"


@dataclass(frozen=True)
class Change:
    """What a move does, or would do; amounts in the currency's smallest unit."""

    subscription: Subscription
    effective_time: datetime
    due: int = 0
    credited: int = 0
    currency: str = "usd"


def move(agreement: Agreement, article: PlanArticle, catalogue: Catalogue) -> Move:
    """A better plan is an upgrade, a lesser one a downgrade; of the same plan, a longer interval is an upgrade."""
    was = (catalogue.rank(agreement.plan), LENGTHS[agreement.interval] if agreement.interval else -1)
    then = (catalogue.rank(article.plan.slug), LENGTHS[article.price.interval])
    if (agreement.plan, agreement.interval) == (article.plan.slug, article.price.interval):
        return Move.SAME
    return Move.UPGRADE if then > was else Move.DOWNGRADE


def planned(agreement: Agreement, article: PlanArticle) -> bool:
    """Whether the agreement moves there anyway when its period ends."""
    return (agreement.next_plan, agreement.next_interval) == (article.plan.slug, article.price.interval)


def renewing(agreements: Iterable[Agreement], now: datetime) -> list[Agreement]:
    """Those that take money again by themselves."""
    return [one for one in agreements if one.at(now).state in RENEWING]


def trial_used(agreements: Iterable[Agreement]) -> bool:
    """Whether one had a trial, of whatever plan and wherever: nobody has two."""
    return any(one.trial for one in agreements)


def to_change(agreements: Iterable[Agreement], catalogue: Catalogue, now: datetime) -> Agreement:
    """The agreement that a change, a cancellation or a pause means: the best of those that renew at Stripe.

    FailedPrecondition where there is none (NOT_SUBSCRIBED), or only a store's (MANAGED_BY_STORE).
    """
    known = list(agreements)
    return _best(known, RENEWING, catalogue, now) or _refuse(known, now)


def to_cancel(agreements: Iterable[Agreement], catalogue: Catalogue, now: datetime) -> Agreement:
    """As `to_change`; where nothing renews, what was cancelled before."""
    known = list(agreements)
    found = _best(known, RENEWING, catalogue, now)
    if found is None and not renewing(known, now):
        found = _best(known, (State.CANCELLED,), catalogue, now) or _newest(known)
    return found or _refuse(known, now)


def to_resume(agreements: Iterable[Agreement], catalogue: Catalogue, now: datetime) -> Agreement:
    """The best at Stripe of those that are paused or cancelled; where none is, the best that renews.

    FailedPrecondition as in `to_change`, or where it is over (SUBSCRIPTION_ENDED).
    """
    known = list(agreements)
    asleep = _best(known, (State.PAUSED,), catalogue, now) or _best(known, (State.CANCELLED,), catalogue, now)
    found = asleep or _best(known, RENEWING, catalogue, now)
    if found is None and not renewing(known, now) and _newest(known):
        raise FailedPrecondition("The subscription is over. Buy a new one.", reason="SUBSCRIPTION_ENDED")
    return found or _refuse(known, now)


def require_running(agreement: Agreement, now: datetime) -> None:
    """FailedPrecondition (SUBSCRIPTION_NOT_ACTIVE) for one that is unpaid, paused or cancelled, or was paid back."""
    if agreement.state not in RUNNING or not agreement.in_force(now):
        raise FailedPrecondition(
            "The subscription is not active: pay what is open, or resume it first.",
            reason="SUBSCRIPTION_NOT_ACTIVE",
            metadata={"state": agreement.state.value},
        )


def _best(known: list[Agreement], states: tuple[State, ...], catalogue: Catalogue, now: datetime) -> Agreement | None:
    """Even one whose renewal was not heard of: it can be cancelled all the same."""
    found = [one for one in known if one.provider is Provider.STRIPE and one.state in states and not one.over(now)]
    return max(
        found, key=lambda one: (one.in_force(now), catalogue.rank(one.plan), one.period_end, one.id), default=None
    )


def _newest(known: list[Agreement]) -> Agreement | None:
    return max(
        (one for one in known if one.provider is Provider.STRIPE), key=lambda one: (one.start, one.id), default=None
    )


def _refuse(known: list[Agreement], now: datetime) -> Agreement:
    stores = [one for one in known if one.provider in STORES and not one.over(now)]
    if stores:
        raise FailedPrecondition(
            "The subscription was bought in a store, and is changed there.",
            reason="MANAGED_BY_STORE",
            metadata={"provider": stores[0].provider.value},
        )
    raise FailedPrecondition("There is no subscription that renews.", reason="NOT_SUBSCRIBED")
