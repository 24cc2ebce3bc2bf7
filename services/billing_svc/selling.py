"""How users come to pay: pages of the providers', and packs without a page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from runtime.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from services.billing_svc.domain.moving import renewing, trial_used
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import Article, Catalogue, Interval, Pack, PlanArticle, Provider
from services.billing_svc.domain.wish import Wish
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Order, Page
from services.billing_svc.payments.sellers import Sellers
from services.billing_svc.store import Books
from services.billing_svc.store.checkouts import Checkout, Checkouts


@dataclass(frozen=True)
class Opened:
    """A page, and whether money moves there."""

    page: Page
    test_mode: bool


class Selling:
    """`clock` gives the present in UTC."""

    def __init__(
        self,
        books: Books,
        keeping: Keeping,
        checkouts: Checkouts,
        sellers: Sellers,
        catalogue: Catalogue,
        clock: Callable[[], datetime],
    ) -> None:
        self._books = books
        self._keeping = keeping
        self._checkouts = checkouts
        self._sellers = sellers
        self._catalogue = catalogue
        self._clock = clock

    def plan(self, slug: str, interval: Interval, provider: Provider) -> PlanArticle:
        """NotFound (PLAN_NOT_FOUND) when the provider does not sell it."""
        plan = self._catalogue.plan(slug)
        price = plan.price(interval) if plan else None
        if plan is None or price is None or provider not in price.ids:
            raise NotFound("This plan is not on offer there.", reason="PLAN_NOT_FOUND")
        return PlanArticle(plan, price)

    def pack(self, slug: str, provider: Provider) -> Pack:
        """NotFound (PACK_NOT_FOUND) when the provider does not sell it."""
        pack = self._catalogue.pack(slug)
        if pack is None or provider not in pack.ids:
            raise NotFound("This pack is not on offer there.", reason="PACK_NOT_FOUND")
        return pack

    async def checkout(self, wish: Wish, *, key: str) -> Opened:
        """Opens a page; for a plan, closes the user's earlier ones.

        FailedPrecondition (SUBSCRIBED, TRIAL_USED, PROVIDER_NOT_CONFIGURED), NotFound (PLAN_NOT_FOUND, PACK_NOT_FOUND,
        PROMO_CODE_NOT_FOUND).
        """
        seller, article = self._sellers.seller(wish.provider), self._article(wish)
        trial_days = await self._admitted(wish, article) if isinstance(article, PlanArticle) else 0
        order = Order(wish.user, article, key, wish.success_url, wish.cancel_url, trial_days, wish.promo_code)
        page = await seller.checkout(order)
        await self._opened(_checkout(wish, article, page, self._clock()))
        return Opened(page, seller.test_mode)

    async def portal(self, user: str, return_url: str) -> tuple[str, bool]:
        """The page's address, and whether it is a test. FailedPrecondition (NO_CUSTOMER, PROVIDER_NOT_CONFIGURED)."""
        desk = self._sellers.desk()
        return await desk.portal(user, return_url), desk.test_mode

    async def buy(self, user: str, pack: Pack, *, key: str) -> Payment:
        """Charges for a pack without a page.

        FailedPrecondition (NO_PAYMENT_METHOD, PAYMENT_DECLINED, AUTHENTICATION_REQUIRED, PROVIDER_NOT_CONFIGURED).
        """
        desk = self._sellers.desk()
        said = await desk.buy(user, pack, key=key)
        fence = await self._keeping.fence()
        facts = await desk.read(said)
        await self._keeping.keep(facts, fence)
        return facts.payments[0]

    def _article(self, wish: Wish) -> Article:
        if wish.interval is None:
            return self.pack(wish.slug, wish.provider)
        return self.plan(wish.slug, wish.interval, wish.provider)

    async def _admitted(self, wish: Wish, article: PlanArticle) -> int:
        """The days of trial that a buyer of a plan gets."""
        agreements = await self._books.agreements(wish.user)
        if renewing(agreements, self._clock()):
            message = "There is a subscription that renews: change it, or cancel it first."
            raise FailedPrecondition(message, reason="SUBSCRIBED")
        if not wish.trial:
            return 0
        if not article.plan.trial_days or wish.provider is not Provider.STRIPE:
            fault = Violation("plan.trial", "this plan has no trial there")
            raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
        if trial_used(agreements):
            raise FailedPrecondition("The trial was had already.", reason="TRIAL_USED")
        return article.plan.trial_days

    async def _opened(self, one: Checkout) -> None:
        """Only earlier pages are closed, so that of two that are opened at once one stays open."""
        await self._checkouts.keep(one)
        if one.interval is None or one.provider is not Provider.STRIPE:
            return
        for earlier in await self._checkouts.earlier(one, self._clock()):
            await self._sellers.desk().close(earlier.id)
            await self._checkouts.forget(earlier)


def _checkout(wish: Wish, article: Article, page: Page, now: datetime) -> Checkout:
    plan = isinstance(article, PlanArticle)
    name = f"plans/{wish.slug}" if plan else f"packs/{wish.slug}"
    cents = article.price.cents if isinstance(article, PlanArticle) else article.cents
    return Checkout(wish.user, wish.provider, page.id, name, wish.interval, cents, now, page.expire_time)
