"""What users do to the subscriptions that they have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.moving import (
    RENEWING,
    Change,
    Move,
    move,
    planned,
    require_running,
    to_cancel,
    to_change,
    to_resume,
)
from services.billing_svc.domain.plan import Catalogue, PlanArticle
from services.billing_svc.domain.subscription import Subscription, merged
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.sellers import Sellers
from services.billing_svc.store import Books


class Managing:
    """`clock` gives the present in UTC."""

    def __init__(
        self, books: Books, keeping: Keeping, sellers: Sellers, catalogue: Catalogue, clock: Callable[[], datetime]
    ) -> None:
        self._books = books
        self._keeping = keeping
        self._sellers = sellers
        self._catalogue = catalogue
        self._clock = clock

    async def agreements(self, user: str) -> tuple[Agreement, ...]:
        """All that a user ever agreed on."""
        return await self._books.agreements(user)

    async def subscription(self, user: str) -> Subscription:
        """What a user has now."""
        return merged(user, await self._books.agreements(user), self._catalogue, self._clock())

    async def preview(self, user: str, article: PlanArticle) -> Change:
        """What `change` would do. FailedPrecondition as there."""
        return await self._previewed(user, await self._to_change(user, article, again=False), article)

    async def change(self, user: str, article: PlanArticle, *, key: str, again: bool) -> Change:
        """Moves a user to another plan or interval.

        FailedPrecondition (NOT_SUBSCRIBED, MANAGED_BY_STORE, SUBSCRIPTION_NOT_ACTIVE, SAME_PLAN, PAYMENT_DECLINED).
        `again` says that the same was asked for before: what has happened since then is no fault.
        """
        desk, agreement = self._sellers.desk(), await self._to_change(user, article, again=again)
        change = await self._previewed(user, agreement, article)
        at_end = move(agreement, article, self._catalogue) is Move.DOWNGRADE
        after = await self._kept(user, lambda: desk.change(agreement, article, at_end=at_end, key=key))
        return replace(change, subscription=after)

    async def cancel(self, user: str, *, immediately: bool, key: str) -> Subscription:
        """Ends what renews. FailedPrecondition (NOT_SUBSCRIBED, MANAGED_BY_STORE)."""
        now = self._clock()
        agreement = to_cancel(await self._books.agreements(user), self._catalogue, now)
        if agreement.over(now) or (agreement.state is State.CANCELLED and not immediately):
            return await self.subscription(user)
        desk = self._sellers.desk()
        return await self._kept(user, lambda: desk.cancel(agreement, immediately=immediately, key=key))

    async def pause(self, user: str, resume_time: datetime | None, *, key: str) -> Subscription:
        """FailedPrecondition (NOT_SUBSCRIBED, MANAGED_BY_STORE, SUBSCRIPTION_NOT_ACTIVE)."""
        now = self._clock()
        agreement = to_change(await self._books.agreements(user), self._catalogue, now)
        if agreement.state is not State.PAUSED:
            require_running(agreement, now)
        desk = self._sellers.desk()
        return await self._kept(user, lambda: desk.pause(agreement, resume_time, key=key))

    async def resume(self, user: str, *, key: str) -> Subscription:
        """FailedPrecondition (NOT_SUBSCRIBED, MANAGED_BY_STORE, SUBSCRIPTION_ENDED)."""
        agreement = to_resume(await self._books.agreements(user), self._catalogue, self._clock())
        if agreement.state in RENEWING and agreement.state is not State.PAUSED:
            return await self.subscription(user)
        desk = self._sellers.desk()
        return await self._kept(user, lambda: desk.resume(agreement, key=key))

    async def _to_change(self, user: str, article: PlanArticle, *, again: bool) -> Agreement:
        now = self._clock()
        agreement = to_change(await self._books.agreements(user), self._catalogue, now)
        require_running(agreement, now)
        same = move(agreement, article, self._catalogue) is Move.SAME and agreement.next_plan is None
        if (same or planned(agreement, article)) and not again:
            raise FailedPrecondition("The subscription is that already, or will be.", reason="SAME_PLAN")
        return agreement

    async def _previewed(self, user: str, agreement: Agreement, article: PlanArticle) -> Change:
        found = move(agreement, article, self._catalogue)
        subscription = await self.subscription(user)
        if found is Move.SAME:
            return Change(subscription, self._clock())
        preview = await self._sellers.desk().preview(agreement, article, at_end=found is Move.DOWNGRADE)
        return Change(subscription, preview.effective_time, preview.due, preview.credited, preview.currency)

    async def _kept(self, user: str, ask: Callable[[], Awaitable[Facts]]) -> Subscription:
        """What is so after a change."""
        said = await ask()
        fence = await self._keeping.fence()
        return (await self._keeping.keep(await self._sellers.desk().read(said), fence))[user]
