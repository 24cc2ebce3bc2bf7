"""All objects that were told of become what is so now, the same in whatever order they arrived, and however often.

Of one object the state that was saved last counts; of several saved within one second the one that reaches furthest
into the future, then the one whose status comes later in a life, then the one with the greater digest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Catalogue, Pack, PlanArticle, Provider
from services.billing_svc.payments.body import EPOCH
from services.billing_svc.payments.calendar import one_later
from services.billing_svc.payments.lemon_squeezy.objects import Invoice, Object, Order, Subscription
from services.billing_svc.payments.lemon_squeezy.terms import terms

INITIAL = "initial"
UPDATED = "updated"


@dataclass(frozen=True)
class Told:
    """An object as it stood, from one notice; `digest` tells notices apart, `failed` those of a payment that failed."""

    id: str
    saved: Object
    digest: str
    user: str | None = None
    failed: bool = False

    @property
    def order(self) -> tuple[object, ...]:
        until = EPOCH
        if isinstance(self.saved, Subscription):
            until = self.saved.renews_at or self.saved.ends_at or EPOCH
        return self.saved.updated_at, until, self.saved.rank, self.digest


@dataclass
class Shop:
    """Everything told, by object, oldest first."""

    subscriptions: dict[str, list[Subscription]] = field(default_factory=lambda: defaultdict(list))
    invoices: dict[str, Invoice] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def take(self, told: Told) -> None:
        match told.saved:
            case Subscription(known=True) as one:
                self.subscriptions[told.id].append(one)
            case Invoice() as one:
                self.invoices[told.id] = one
                self.failed |= {told.id} if told.failed else set()
            case Order() as one:
                self.orders[told.id] = one
            case _:
                return
        if told.user is not None:
            self.users[told.saved.subjects(told.id)[0]] = told.user

    def subscriber(self, name: str) -> str | None:
        """Whose a subscription is: who it or its invoices name, or else who its order names."""
        order = self.subscriptions[name][-1].order_id
        return self.users.get(f"subscription:{name}") or self.users.get(f"order:{order}")

    def buyer(self, name: str) -> str | None:
        """Whose an order is."""
        return self.users.get(f"order:{name}")


def fold(told: Iterable[Told], catalogue: Catalogue) -> Facts:
    """The agreements and payments of those who are users of ours."""
    shop = Shop()
    for one in sorted(told, key=lambda one: one.order):
        shop.take(one)
    agreements = [_agreement(name, shop, catalogue) for name in sorted(shop.subscriptions)]
    return Facts(
        tuple(agreement for agreement in agreements if agreement),
        (*_invoices(shop, catalogue), *_orders(shop, catalogue)),
    )


def _articles(history: Sequence[Subscription], catalogue: Catalogue) -> list[tuple[datetime, PlanArticle]]:
    """The plans that a subscription was ever for, oldest first, and from when on."""
    sold = [(one.updated_at, catalogue.sold(Provider.LEMON_SQUEEZY, one.variant_id)) for one in history]
    return [(time, article) for time, article in sold if isinstance(article, PlanArticle)]


def _agreement(name: str, shop: Shop, catalogue: Catalogue) -> Agreement | None:
    """None while it was never for a plan of ours, or nobody is known. What is for something else now is over."""
    history = shop.subscriptions[name]
    articles, user = _articles(history, catalogue), shop.subscriber(name)
    if not articles or user is None:
        return None
    now, stands, (_, article) = history[-1], terms(history, catalogue.grace), articles[-1]
    ours = catalogue.sold(Provider.LEMON_SQUEEZY, now.variant_id) == article
    return Agreement(
        Provider.LEMON_SQUEEZY,
        name,
        user,
        article.plan.slug,
        article.price.interval,
        stands.state if ours else State.EXPIRED,
        now.created_at,
        stands.period_end,
        grace_end=stands.grace_end,
        resume_time=stands.resume_time,
        customer=now.customer_id,
        trial=any(one.status == "on_trial" or one.trial_ends_at is not None for one in history),
    )


def _invoices(shop: Shop, catalogue: Catalogue) -> Iterator[Payment]:
    """Nothing is said of an invoice before its subscription is known."""
    for name, invoice in sorted(shop.invoices.items()):
        subscription = invoice.subscription_id
        if subscription not in shop.subscriptions or not invoice.total:
            continue
        history, user = shop.subscriptions[subscription], shop.subscriber(subscription)
        articles = _articles(history, catalogue)
        if not articles or user is None:
            continue
        # The plan as it was when the invoice was last saved, or as near to that as is known.
        before = [article for time, article in articles if time <= invoice.updated_at]
        article = before[-1] if before else articles[0][1]
        state = _state(invoice)
        order = shop.orders.get(history[-1].order_id or "")
        with_order = order.returned if order and invoice.billing_reason == INITIAL else 0
        yield Payment(
            Provider.LEMON_SQUEEZY,
            f"invoice-{name}",
            user,
            state,
            invoice.total,
            invoice.currency,
            invoice.created_at,
            (_plan_line(invoice, article),),
            agreement=subscription,
            refunded=min(max(invoice.returned, with_order), invoice.total),
            failed=state is PaymentState.OPEN and name in shop.failed,
            url=invoice.urls.invoice_url,
        )


def _plan_line(invoice: Invoice, article: PlanArticle) -> Line:
    price, name, start = article.price, f"plans/{article.plan.slug}", invoice.created_at
    if invoice.billing_reason == UPDATED:
        return Line("1", name, invoice.total, price.interval, proration=True)
    end = one_later(start, price.interval)
    return Line("1", name, invoice.total, price.interval, start, end, credits=price.credits)


def _orders(shop: Shop, catalogue: Catalogue) -> Iterator[Payment]:
    """Packs alone: a subscription's order is charged as its first invoice."""
    for name, order in sorted(shop.orders.items()):
        item, user = order.first_order_item, shop.buyer(name)
        pack = catalogue.sold(Provider.LEMON_SQUEEZY, item.variant_id) if item else None
        if item is None or user is None or not isinstance(pack, Pack) or not order.total:
            continue
        yield Payment(
            Provider.LEMON_SQUEEZY,
            f"order-{name}",
            user,
            _state(order),
            order.total,
            order.currency,
            order.created_at,
            (Line("1", f"packs/{pack.slug}", order.total, credits=pack.credits * item.quantity),),
            refunded=order.returned,
            disputed=order.status == "fraudulent",
            failed=order.status == "failed",
            url=order.urls.receipt,
        )


def _state(charge: Invoice | Order) -> PaymentState:
    match charge.status:
        case "paid" | "partial_refund" | "refunded" | "fraudulent":
            return PaymentState.PAID
        case "void":
            return PaymentState.VOID
        case _:
            return PaymentState.OPEN
