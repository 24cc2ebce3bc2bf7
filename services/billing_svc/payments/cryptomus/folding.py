"""All statuses of a payment become what is so, the same in whatever order they arrived, and however often.

They have no time of their own, and none is needed: one that is further along in a payment's life counts more. Paid is
more than any failure, for a payment that came late is taken after all; given back is more than paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Article, Catalogue, PlanArticle, Provider
from services.billing_svc.payments.amounts import minor
from services.billing_svc.payments.articles import article_name, price_cents
from services.billing_svc.payments.calendar import one_later
from services.billing_svc.payments.cryptomus.event import CANCELLED, FAILED, PAID, RETURNED, Event, Ordered


@dataclass(frozen=True)
class Told:
    """A status, and when it was received."""

    event: Event
    time: datetime


def fold(told: Sequence[Told], catalogue: Catalogue) -> Facts:
    """A plan is paid for in advance, for one interval from the payment on: every payment is an agreement of its own.

    `told` is of one payment. FailedPrecondition (AMOUNT_TOO_SMALL) for less than the price: people have to look at it.
    """
    ordered = sorted(told, key=lambda one: (one.time, one.event.status, one.event.is_final))
    event = ordered[0].event
    what = event.ordered
    article = catalogue.sold(Provider.CRYPTOMUS, what.id) if what else None
    if what is None or article is None:
        return Facts()
    payment = _payment(ordered, what, article)
    if payment.state is not PaymentState.PAID or not isinstance(article, PlanArticle):
        return Facts(payments=(payment,))
    return Facts((_agreement(payment, article),), (payment,))


def _payment(told: Sequence[Told], what: Ordered, article: Article) -> Payment:
    event, statuses = told[0].event, {one.event.status for one in told}
    paid = [one.time for one in told if one.event.status in PAID]
    cents = minor(event.amount, event.currency)
    if paid and (event.currency != "usd" or cents < price_cents(article)):
        raise FailedPrecondition("Less was paid than this costs.", reason="AMOUNT_TOO_SMALL")
    time = min(paid, default=told[0].time)
    state = _state(statuses)
    return Payment(
        Provider.CRYPTOMUS,
        event.uuid,
        what.user,
        state,
        cents,
        event.currency,
        time,
        (_line(article, cents, time),),
        agreement=event.uuid if isinstance(article, PlanArticle) else None,
        refunded=cents if state is PaymentState.PAID and RETURNED in statuses else 0,
        failed=state is PaymentState.OPEN and not FAILED.isdisjoint(statuses),
    )


def _state(statuses: set[str]) -> PaymentState:
    if not PAID.isdisjoint(statuses):
        return PaymentState.PAID
    return PaymentState.VOID if RETURNED in statuses or CANCELLED in statuses else PaymentState.OPEN


def _line(article: Article, cents: int, time: datetime) -> Line:
    if not isinstance(article, PlanArticle):
        return Line("1", article_name(article), cents, credits=article.credits)
    price = article.price
    end = one_later(time, price.interval)
    return Line("1", article_name(article), cents, price.interval, time, end, credits=price.credits)


def _agreement(payment: Payment, article: PlanArticle) -> Agreement:
    return Agreement(
        Provider.CRYPTOMUS,
        payment.id,
        payment.user,
        article.plan.slug,
        article.price.interval,
        State.EXPIRED if payment.refunded else State.CANCELLED,
        payment.time,
        one_later(payment.time, article.price.interval),
    )
