"""What providers say becomes what we keep, with all that follows from it, in one transaction.

It may be said twice, late, and in any order: an older reading changes nothing, and the id of every effect follows from
its cause alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from services.billing_svc.announcing import Announcing
from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.change import payment_changes, starts_anew, subscription_changes
from services.billing_svc.domain.effect import (
    Adjust,
    Effect,
    Grant,
    SetPlan,
    Source,
    Why,
    adjustment_id,
    grant_id,
    plan_id,
)
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.domain.subscription import Subscription, changes_at, merged
from services.billing_svc.store.books import Book, Books, Held


class Keeping:
    """`clock` gives the present in UTC; `kept` is called after something was kept, to wake those who pass it on."""

    def __init__(
        self,
        books: Books,
        catalogue: Catalogue,
        announcing: Announcing,
        clock: Callable[[], datetime],
        kept: Callable[[], None],
    ) -> None:
        self._books = books
        self._catalogue = catalogue
        self._announcing = announcing
        self._clock = clock
        self._kept = kept

    async def fence(self) -> int:
        """Taken before a provider is read: what `keep` gets with it is at least as new."""
        return await self._books.fence()

    async def keep(self, facts: Facts, fence: int) -> Mapping[str, Subscription]:
        """Keeps what was read after `fence` was taken; the subscriptions of everybody concerned, as they are now."""
        async with self._books.opened(facts.users, facts.bought) as book:
            before = {user: await book.agreements(user) for user in book.users}
            for agreement in facts.agreements:
                await book.keep_agreement(agreement, fence)
                # A payment of it that went back may have been heard of first.
                await book.revoke(agreement.provider, agreement.id)
            for payment in facts.payments:
                await self._pay(book, payment, fence)
            after = await self._settle(book, before)
        self._kept()
        return after

    async def look(self, user: str) -> Subscription:
        """What time alone has changed for a user."""
        async with self._books.opened([user]) as book:
            after = await self._settle(book, {user: await book.agreements(user)})
        self._kept()
        return after[user]

    async def settle(self, book: Book) -> Mapping[str, Subscription]:
        """Brings the subscriptions in open books up to what their agreements say; for whoever opened them."""
        return await self._settle(book, {user: await book.agreements(user) for user in book.users})

    async def restate(self, user: str, told: str) -> UUID:
        """Has quota_svc told a user's plan once more, which has them on the plan `told`; the id of that change."""
        now = self._clock()
        async with self._books.opened([user]) as book:
            agreements = await book.agreements(user)
            after = (await self._settle(book, {user: agreements}))[user]
            revision = (await book.subscription(user, agreements)).revision + 1
            change = self._plan(Subscription(user, told), after, revision)
            await book.effect(user, change, now)
            await book.keep_subscription(after, revision, changes_at(agreements, now))
        self._kept()
        return change.id

    async def _pay(self, book: Book, payment: Payment, fence: int) -> None:
        now = self._clock()
        before = await book.payment(payment.provider, payment.id)
        after = await book.keep_payment(payment, fence)
        if after is None:
            return
        for line, held, effects in _gifts(after, await book.held(after)):
            await book.hold(after, line, held)
            for effect in effects:
                await book.effect(after.user, effect, now)
        if after.agreement is not None:
            await book.revoke(after.provider, after.agreement)
        await book.tell(self._announcing.events(after.user, payment_changes(before, after), now))

    async def _settle(self, book: Book, before: Mapping[str, tuple[Agreement, ...]]) -> Mapping[str, Subscription]:
        now = self._clock()
        settled = {}
        for user in sorted(before):
            kept = await book.subscription(user, before[user])
            agreements = await book.agreements(user)
            after = merged(user, agreements, self._catalogue, now)
            changes = list(subscription_changes(kept.subscription, after, self._catalogue))
            revision = kept.revision
            if after.plan != kept.subscription.plan:
                revision += 1
                await book.effect(user, self._plan(kept.subscription, after, revision), now)
            await book.keep_subscription(after, revision, changes_at(agreements, now))
            await book.tell(self._announcing.events(user, changes, now))
            settled[user] = after
        return settled

    def _plan(self, before: Subscription, after: Subscription, revision: int) -> SetPlan:
        anchor = after.counts.start if after.counts and after.counts.plan == after.plan else None
        reset = starts_anew(before, after, self._catalogue)
        return SetPlan(plan_id(after.user, revision), after.plan, reset, anchor)


def _gifts(payment: Payment, held: Mapping[str, Held]) -> Iterator[tuple[Line, Held, list[Effect]]]:
    """What lines give and what is taken back, where that is not so already."""
    if payment.state is not PaymentState.PAID:
        return
    for line in payment.lines:
        if line.credits and line.cents > 0 and not line.proration:
            had = held[line.id]
            now = _given(payment, line, had)
            if now != had:
                yield line, now, list(_effects(payment, line, had, now))


def _given(payment: Payment, line: Line, had: Held) -> Held:
    grant = had.grant or grant_id(payment.provider.value, f"{payment.id}/{line.id}")
    reclaimed = payment.reclaimed(line)
    return Held(grant, reclaimed, had.adjustments + (reclaimed != had.reclaimed))


def _effects(payment: Payment, line: Line, had: Held, now: Held) -> Iterator[Effect]:
    assert now.grant is not None  # noqa: S101 (for the type checker)
    if had.grant is None:
        yield Grant(now.grant, line.credits, Source.PURCHASE)
    if now.reclaimed != had.reclaimed:
        change = had.reclaimed - now.reclaimed
        why = Why.CORRECTION if change > 0 else Why.CHARGEBACK if payment.disputed else Why.REFUND
        yield Adjust(adjustment_id(now.grant, now.adjustments), change, why, now.grant)
