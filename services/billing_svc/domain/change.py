"""What follows when a user's subscription or payment changes: what the others are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.payment import Payment, PaymentState
from services.billing_svc.domain.plan import FREE, Catalogue
from services.billing_svc.domain.subscription import Subscription

RENEWS = (State.TRIALING, State.ACTIVE)


class Kind(Enum):
    """The events of subscriptions, by the names that they are published under."""

    CREATED = "created"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    RESUMED = "resumed"


@dataclass(frozen=True)
class SubscriptionChanged:
    """`subscription.{kind}`."""

    kind: Kind
    before: Subscription
    after: Subscription


@dataclass(frozen=True)
class Paid:
    """`payment.succeeded`, and `credits.purchased` for every pack on it."""

    payment: Payment


@dataclass(frozen=True)
class Declined:
    """`payment.failed`."""

    payment: Payment


@dataclass(frozen=True)
class Returned:
    """`payment.refunded`; `cents` are what went back since it was told last."""

    payment: Payment
    cents: int


Told = SubscriptionChanged | Paid | Declined | Returned


def subscription_changes(before: Subscription, after: Subscription, catalogue: Catalogue) -> Iterator[Told]:
    """What is told of a subscription that was `before` and is `after`."""
    for kind in _kinds(before, after, catalogue):
        yield SubscriptionChanged(kind, before, after)


def _kinds(before: Subscription, after: Subscription, catalogue: Catalogue) -> Iterator[Kind]:
    was, now = catalogue.rank(before.plan), catalogue.rank(after.plan)
    # What never renewed, such as days that a code gave, is not cancelled when it begins.
    same = after.key is not None and after.key == before.key
    if same and after.state is State.CANCELLED and before.state is not State.CANCELLED:
        yield Kind.CANCELLED
    if same and after.state is State.PAUSED and before.state is not State.PAUSED:
        yield Kind.PAUSED
    if same and after.state in RENEWS and before.state in (State.PAUSED, State.CANCELLED):
        yield Kind.RESUMED
    if after.plan == before.plan:
        return
    if before.plan == FREE:
        if not _returns(before, after):
            yield Kind.CREATED
    elif now < was or after.plan == FREE:
        if after.plan == FREE and before.state in RENEWS and after.state is State.ACTIVE:
            yield Kind.CANCELLED
        yield Kind.DOWNGRADED
    else:
        yield Kind.UPGRADED


def starts_anew(before: Subscription, after: Subscription, catalogue: Catalogue) -> bool:
    """Whether all allowances start anew: a better plan was bought. What comes back after a pause was not bought."""
    better = catalogue.rank(after.plan) > catalogue.rank(before.plan)
    return better and not _returns(before, after)


def _returns(before: Subscription, after: Subscription) -> bool:
    """Whether an agreement that gave nothing for a while, paused or unpaid, gives again."""
    waited = before.plan == FREE and before.state in (State.PAUSED, State.PAST_DUE)
    return waited and after.key == before.key


def payment_changes(before: Payment | None, after: Payment) -> Iterator[Told]:
    """What is told of a payment that was `before` (None for one that is new) and is `after`."""
    was_paid = before is not None and before.state is PaymentState.PAID
    if after.state is PaymentState.PAID and not was_paid and after.cents > 0:
        yield Paid(after)
    if after.failed and not (before and before.failed) and after.state is PaymentState.OPEN:
        yield Declined(after)
    returned = before.returned if before else 0
    if after.returned > returned:
        yield Returned(after, after.returned - returned)
