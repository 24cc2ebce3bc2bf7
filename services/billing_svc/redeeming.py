"""Redeems codes: what one gives, that it was redeemed, and what follows are kept together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.domain.promo import CreditGift, Gift, PlanGift, PromoCode
from services.billing_svc.domain.redeeming import credits_given, days_given, require_redeemable, used_up
from services.billing_svc.domain.subscription import Subscription
from services.billing_svc.keeping import Keeping
from services.billing_svc.store import Book, Books
from services.billing_svc.store.promos import Redemptions


class Redeeming:
    """`clock` gives the present in UTC; `kept` is called after something was kept, to wake those who pass it on."""

    def __init__(
        self,
        books: Books,
        keeping: Keeping,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
        kept: Callable[[], None],
    ) -> None:
        self._books = books
        self._keeping = keeping
        self._catalogue = catalogue
        self._clock = clock
        self._kept = kept

    async def redeem(self, user: str, request_id: UUID, code: str) -> tuple[Gift, Subscription]:
        """What the code gave, and the subscription afterwards. Errors as in `require_redeemable`."""
        fence = await self._books.fence()
        async with self._books.opened([user]) as book:
            redemptions = Redemptions(book.database)
            found = await redemptions.code(code)
            if found is None or not await redemptions.by(user, request_id):
                found = await self._redeemed(redemptions, found, user, request_id)
                await self._give(book, user, request_id, found.gift, fence)
            after = await self._keeping.settle(book)
        self._kept()
        return found.gift, after[user]

    async def _redeemed(
        self, redemptions: Redemptions, code: PromoCode | None, user: str, request_id: UUID
    ) -> PromoCode:
        before = await redemptions.of(user, code.code) if code else 0
        found = require_redeemable(code, before, self._catalogue, self._clock())
        if not await redemptions.keep(user, request_id, found.code, self._clock()):
            raise used_up()
        return found

    async def _give(self, book: Book, user: str, request_id: UUID, gift: Gift, fence: int) -> None:
        now = self._clock()
        match gift:
            case CreditGift():
                await book.effect(user, credits_given(user, request_id, gift), now)
            case PlanGift():
                agreement = days_given(user, request_id, gift, await book.agreements(user), now)
                await book.keep_agreement(agreement, fence)
