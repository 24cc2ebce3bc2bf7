"""All that was told of some buyers becomes what is so, the same in whatever order it arrived, and however often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Article, Catalogue, PlanArticle, Provider
from services.billing_svc.payments.calendar import one_later
from services.billing_svc.payments.revenuecat.event import REFUND_REVERSED, TRANSFER, Event
from services.billing_svc.payments.revenuecat.owners import Owner, owners
from services.billing_svc.payments.revenuecat.standing import Standing


def fold(events: Iterable[Event], catalogue: Catalogue) -> Facts:
    """The agreements and payments of all buyers who are users of ours."""
    ordered = sorted({event.id: event for event in events}.values(), key=lambda event: event.order)
    purchases: dict[str, Standing] = {}
    for event in ordered:
        if event.type != TRANSFER and event.key is not None:
            purchases.setdefault(event.key, Standing(catalogue)).take(event)
    whose = owners(ordered)
    somebody = min((user for event in ordered for user in event.users), default=None)
    agreements = [_agreement(key, purchases[key], whose[key], somebody) for key in sorted(purchases)]
    payments = {one.id: one for key in sorted(purchases) for one in _payments(key, purchases[key], whose[key])}
    return Facts(
        tuple(agreement for agreement in agreements if agreement),
        tuple(payment for _, payment in sorted(payments.items())),
    )


def _agreement(key: str, purchase: Standing, owner: Owner, somebody: str | None) -> Agreement | None:
    """None without a plan of ours, or a user of ours.

    What a buyer without a name has gives nothing, and is the last known user's, or else anybody's who is known: so it
    is taken from whoever seemed to have it before all was known.
    """
    article, start, user = purchase.article, purchase.start, owner.user or somebody
    if article is None or start is None or user is None:
        return None
    state = purchase.state if owner.present else State.EXPIRED
    following = purchase.next_article
    return Agreement(
        Provider.REVENUECAT,
        key,
        user,
        article.plan.slug,
        article.price.interval,
        state,
        start,
        purchase.period_end or one_later(start, article.price.interval),
        grace_end=purchase.grace_end if state is State.PAST_DUE else None,
        resume_time=purchase.resume_time if state is State.PAUSED else None,
        next_plan=following.plan.slug if following else None,
        next_interval=following.price.interval if following else None,
        trial=purchase.tried,
    )


def _payments(key: str, purchase: Standing, owner: Owner) -> Iterator[Payment]:
    """What was charged; nothing is said of a transaction before a user who pays is known."""
    for transaction in {**purchase.charges, **purchase.refunds}:
        user = owner.payers.get(transaction)
        charge = purchase.charges.get(transaction) or _returned(purchase, transaction)
        if user is not None and charge is not None:
            yield _payment(key, transaction, user, *charge, purchase.refunds.get(transaction))


def _returned(purchase: Standing, transaction: str) -> tuple[Event, Article] | None:
    """A charge that is known from its refund alone."""
    event = purchase.refunds[transaction]
    article = purchase.catalogue.sold(Provider.REVENUECAT, event.product_id) if event.product_id else None
    return (event, article) if article is not None and event.amount is not None and event.amount[0] != 0 else None


def _payment(key: str, transaction: str, user: str, event: Event, article: Article, refund: Event | None) -> Payment:
    cents, currency = event.amount or (0, "usd")
    time = event.purchase_time or event.time
    return Payment(
        Provider.REVENUECAT,
        transaction,
        user,
        PaymentState.PAID,
        abs(cents),
        currency,
        time,
        (_line(event, article, abs(cents)),),
        agreement=key if isinstance(article, PlanArticle) else None,
        refunded=_refunded(refund, abs(cents)),
    )


def _line(event: Event, article: Article, cents: int) -> Line:
    start = event.purchase_time or event.time
    if not isinstance(article, PlanArticle):
        return Line("1", f"packs/{article.slug}", cents, credits=article.credits)
    price = article.price
    end = event.expiration_time or one_later(start, price.interval)
    return Line("1", f"plans/{article.plan.slug}", cents, price.interval, start, end, credits=price.credits)


def _refunded(refund: Event | None, cents: int) -> int:
    """All of it, where the refund does not say how much."""
    if refund is None or refund.type == REFUND_REVERSED:
        return 0
    amount = refund.amount[0] if refund.amount else 0
    return min(-amount, cents) if amount < 0 else cents
