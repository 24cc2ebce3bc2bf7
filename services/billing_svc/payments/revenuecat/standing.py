"""How one purchase stands, event by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.plan import Article, Catalogue, PlanArticle, Provider
from services.billing_svc.payments.calendar import one_later
from services.billing_svc.payments.revenuecat import event as types
from services.billing_svc.payments.revenuecat.event import Event


@dataclass
class Standing:
    """What is known of a purchase; `take` is called with its events in their order.

    `purchase_time` is when the present period was bought: what an event says of an earlier one changes nothing here.
    `charges` are the events that charged something and `refunds` those that gave it back, or took that back, by
    transaction.
    """

    catalogue: Catalogue
    article: PlanArticle | None = None
    start: datetime | None = None
    purchase_time: datetime | None = None
    period_end: datetime | None = None
    grace_end: datetime | None = None
    resume_time: datetime | None = None
    next_article: PlanArticle | None = None
    trial: bool = False
    tried: bool = False
    cancelled: bool = False
    unpaid: bool = False
    paused: bool = False
    refunded: bool = False
    expired: bool = False
    charges: dict[str, tuple[Event, Article]] = field(default_factory=dict)
    refunds: dict[str, Event] = field(default_factory=dict)

    @property
    def state(self) -> State:
        if self.refunded or self.expired:
            return State.EXPIRED
        if self.paused:
            return State.PAUSED
        if self.unpaid:
            return State.PAST_DUE
        if self.cancelled:
            return State.CANCELLED
        return State.TRIALING if self.trial else State.ACTIVE

    def take(self, event: Event) -> None:
        """Whatever an event changes."""
        article = self.catalogue.sold(Provider.REVENUECAT, event.product_id) if event.product_id else None
        self._count(event, article)
        if isinstance(article, PlanArticle):
            self._date(event, article)
        elif event.type in types.CHARGES:
            return
        if self.article is None or self._is_earlier(event):
            return
        if event.type in types.CHARGES or event.type == types.TEMPORARY_ENTITLEMENT_GRANT:
            if isinstance(article, PlanArticle):
                self._buy(event, article)
        else:
            self._change(event)

    def _count(self, event: Event, article: Article | None) -> None:
        """The money of it."""
        transaction = event.transaction_id
        if transaction is None:
            return
        if event.type in types.CHARGES and article is not None and event.amount is not None and event.amount[0] > 0:
            self.charges.setdefault(transaction, (event, article))
        elif event.refund or event.type == types.REFUND_REVERSED:
            self.refunds[transaction] = event

    def _date(self, event: Event, article: PlanArticle) -> None:
        """What any event tells, so that one that was lost is no loss."""
        began = event.purchase_time or event.time
        self.start = min(self.start, began) if self.start else began
        self.tried = self.tried or event.trial
        if self.article is None:
            self.article, self.trial = article, event.trial

    def _is_earlier(self, event: Event) -> bool:
        if event.purchase_time is None or self.purchase_time is None:
            return False
        return event.purchase_time < self.purchase_time

    def _buy(self, event: Event, article: PlanArticle) -> None:
        once = event.type in (types.NON_RENEWING_PURCHASE, types.TEMPORARY_ENTITLEMENT_GRANT)
        self.article, self.trial, self.purchase_time = article, event.trial, event.purchase_time or event.time
        self.period_end = event.expiration_time or one_later(self.purchase_time, article.price.interval)
        self.cancelled = once or event.period_type == "PREPAID"
        self.unpaid = self.paused = self.refunded = self.expired = False
        self.grace_end = self.resume_time = self.next_article = None

    def _change(self, event: Event) -> None:
        if event.type == types.PRODUCT_CHANGE:
            self._plan(event)
            return
        if not event.refund:
            self.period_end = event.expiration_time or self.period_end
            self.purchase_time = event.purchase_time or self.purchase_time
        match event.type:
            case types.CANCELLATION:
                self._cancel(event)
            case types.UNCANCELLATION:
                self.cancelled = self.paused = False
                self.resume_time = None
            case types.SUBSCRIPTION_PAUSED:
                self.paused, self.resume_time = True, event.resume_time
            case types.EXPIRATION:
                self._expire(event)
            case types.BILLING_ISSUE:
                self.unpaid, self.grace_end = True, event.grace_end or self.grace_end
            case types.SUBSCRIPTION_EXTENDED:
                self.expired = self.expired and self._is_over(event)
            case types.REFUND_REVERSED:
                self.refunded, self.expired = False, self.expired or self._is_over(event)

    def _cancel(self, event: Event) -> None:
        if event.refund:
            whole = event.cancel_reason == types.REFUNDED or self._is_whole(event)
            self.refunded = self.refunded or whole
        elif event.cancel_reason == types.BILLING_ERROR:
            self.unpaid, self.grace_end = True, event.grace_end or self.grace_end
        else:
            self.cancelled = True

    def _expire(self, event: Event) -> None:
        match event.expiration_reason:
            case types.SUBSCRIPTION_PAUSED:
                self.paused = True
            case types.REFUNDED:
                self.refunded = True
            case _:
                self.expired = True

    def _plan(self, event: Event) -> None:
        """A change that the next renewal makes."""
        following = self.catalogue.sold(Provider.REVENUECAT, event.new_product_id) if event.new_product_id else None
        self.next_article = following if isinstance(following, PlanArticle) and following != self.article else None

    def _is_over(self, event: Event) -> bool:
        return self.period_end is not None and event.time >= self.period_end

    def _is_whole(self, event: Event) -> bool:
        charge = self.charges.get(event.transaction_id or "")
        returned = event.amount
        charged = charge[0].amount if charge else None
        return charged is None or returned is None or -returned[0] >= charged[0]
