"""What every provider can do for us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.plan import Article, Pack, PlanArticle, Provider


@dataclass(frozen=True)
class Delivery:
    """What a provider sent, proved to be the provider's.

    `event_id` is the same whenever the same thing is sent. `subjects` are what it concerns, agreements and buyers, in
    words that the provider's own adaptor finds again.
    """

    event_id: str
    event_type: str
    event_time: datetime
    body: bytes
    subjects: tuple[str, ...] = ()


class Inbound(Protocol):
    """A provider that sends webhooks."""

    provider: Provider

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        """The delivery in a request. `headers` have lower-case names.

        Unauthenticated (BAD_SIGNATURE) when it is not proved to be the provider's and of now; InvalidArgument
        (BAD_BODY) when it is the provider's and no event. Never anything else, whatever is sent.
        """

    async def facts(self, delivery: Delivery) -> Facts:
        """What the provider says now of all that a delivery concerns.

        NotOurs when that is nothing of ours. Unavailable when the provider does not answer: worth another try.
        """


class History(Protocol):
    """What a provider has sent so far, for those whose events say all there is."""

    async def about(self, provider: Provider, subjects: Sequence[str]) -> list[Delivery]:
        """Every delivery that shares a subject, by event time, then by event id."""


@dataclass(frozen=True)
class Order:
    """What a buyer wants to pay for. `key` is the same when the same order is placed again."""

    user: str
    article: Article
    key: str
    success_url: str
    cancel_url: str
    trial_days: int = 0
    promo_code: str = ""


@dataclass(frozen=True)
class Page:
    """Where an order is paid."""

    id: str
    url: str
    expire_time: datetime


@dataclass(frozen=True)
class Preview:
    """What a change of plan would do; amounts in the currency's smallest unit."""

    effective_time: datetime
    due: int
    credited: int
    currency: str


class Seller(Protocol):
    """A provider that sells through a page of its own."""

    provider: Provider
    test_mode: bool

    async def checkout(self, order: Order) -> Page:
        """Opens a page. NotFound (PLAN_NOT_FOUND, PACK_NOT_FOUND) when the provider does not sell it here,
        NotFound (PROMO_CODE_NOT_FOUND) for a code that it does not know, Unavailable when it does not answer."""


class Desk(Seller, Protocol):
    """The provider whose agreements are changed here: Stripe.

    What changes something takes a `key`: the same call with the same key happens once. It gives what is so afterwards;
    whoever keeps that takes a fence and reads it again, for a webhook may have been worked on in the middle of it.
    FailedPrecondition (PAYMENT_DECLINED) when a payment was declined: nothing is changed then.
    """

    async def read(self, facts: Facts) -> Facts:
        """The same agreements and payments, read again."""

    async def close(self, page: str) -> None:
        """Closes a page that was not paid; one that is closed or paid stays as it is."""

    async def portal(self, user: str, return_url: str) -> str:
        """The page where a user changes how they pay. FailedPrecondition (NO_CUSTOMER) for who never paid here."""

    async def preview(self, agreement: Agreement, article: PlanArticle, *, at_end: bool) -> Preview:
        """What `change` would do."""

    async def change(self, agreement: Agreement, article: PlanArticle, *, at_end: bool, key: str) -> Facts:
        """Moves an agreement to another price: at once and charged for the rest of the period, or when the period ends.

        The price that it has takes a change that is planned for the end of the period back.
        """

    async def cancel(self, agreement: Agreement, *, immediately: bool, key: str) -> Facts:
        """Ends an agreement: now, without money back, or when the period ends. A planned change is taken back."""

    async def pause(self, agreement: Agreement, resume_time: datetime | None, *, key: str) -> Facts:
        """Charges nothing until `resume_time`, or until it is resumed."""

    async def resume(self, agreement: Agreement, *, key: str) -> Facts:
        """Charges again; takes a cancellation back that is not in force yet."""

    async def buy(self, user: str, pack: Pack, *, key: str) -> Facts:
        """Charges the way of paying that the user has, without a page.

        FailedPrecondition (NO_PAYMENT_METHOD, PAYMENT_DECLINED, AUTHENTICATION_REQUIRED).
        """


class Auditor(Protocol):
    """A provider that says everything it knows, for comparing."""

    def agreements(self, user: str | None) -> AsyncIterator[Facts]:
        """Every agreement, over or not, with the payments of its last periods; only one user's if so asked.

        One that names no user of ours has the user "".
        """

    def payments(self, user: str | None, since: datetime) -> AsyncIterator[Facts]:
        """Every payment since then that belongs to no agreement: packs."""

    async def agreement(self, agreement_id: str) -> Facts | None:
        """One agreement; None when the provider does not know it."""
