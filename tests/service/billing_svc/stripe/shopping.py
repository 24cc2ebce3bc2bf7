"""What buyers do, and what the adaptor makes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from cli.local.stripe.pretend import SECRET, Pretend
from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import Article, Catalogue, Interval, Pack, PlanArticle, Provider
from services.billing_svc.payments.provider import Delivery, Order, Page
from services.billing_svc.payments.stripe import Stripe, stripe
from services.billing_svc.settings import Settings


def now() -> datetime:
    return datetime.now(UTC)


class Buyers:
    """Users and their customers, in memory."""

    def __init__(self) -> None:
        self.customers: dict[str, str] = {}

    async def customer(self, user: str, provider: Provider) -> str | None:
        assert provider is Provider.STRIPE
        return self.customers.get(user)

    async def user(self, provider: Provider, customer: str) -> str | None:
        return next((user for user, known in self.customers.items() if known == customer), None)

    async def keep(self, user: str, provider: Provider, customer: str) -> str:
        return self.customers.setdefault(user, customer)

    async def replace(self, user: str, provider: Provider, before: str, customer: str) -> str:
        if self.customers.get(user) == before:
            self.customers[user] = customer
        return self.customers[user]


@dataclass
class Inbox:
    """An endpoint that takes whatever webhooks come."""

    url: str
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @classmethod
    @asynccontextmanager
    async def opened(cls) -> AsyncIterator[Inbox]:
        inbox = cls("")

        async def take(request: web.Request) -> web.Response:
            headers = {name.lower(): value for name, value in request.headers.items()}
            inbox.taken.append((headers, await request.read()))
            return web.Response()

        application = web.Application()
        application.add_routes([web.post("/", take)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            inbox.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            yield inbox
        finally:
            await runner.cleanup()


@asynccontextmanager
async def adaptor(fake: Pretend, plans: Catalogue, buyers: Buyers) -> AsyncIterator[Stripe]:
    """The adaptor, set up as a process sets it up."""
    said = {
        "certificates": Path("nowhere"),
        "redis_url": "unix:///nowhere",
        "postgres_dsn": "postgresql://nowhere",
        "STRIPE_SECRET_KEY": fake.key,
        "STRIPE_WEBHOOK_SECRET": f"whsec_old,{SECRET}",
        "stripe_url": fake.url,
    }
    async with stripe(Settings.model_validate(said), plans, buyers, now) as found:
        assert found is not None
        yield found


@dataclass
class Shop:
    """The pretend Stripe, the adaptor, and the buyers between them."""

    fake: Pretend
    stripe: Stripe
    plans: Catalogue
    inbox: Inbox

    def article(self, plan: str, interval: Interval) -> PlanArticle:
        found = self.plans.plan(plan)
        assert found is not None
        price = found.price(interval)
        assert price is not None
        return PlanArticle(found, price)

    def pack(self, slug: str) -> Pack:
        found = self.plans.pack(slug)
        assert found is not None
        return found

    def order(self, article: Article, user: str = "ann", **others: Any) -> Order:
        values = {"key": str(uuid4()), "success_url": "https://app.invalid/paid", "cancel_url": "https://app.invalid/"}
        return Order(user, article, **values | others)

    async def page(self, article: Article, **others: Any) -> Page:
        return await self.stripe.desk.checkout(self.order(article, **others))

    async def subscribed(self, plan: str = "pro", interval: Interval = Interval.MONTH, **others: Any) -> Agreement:
        """Somebody checks out and pays."""
        page = await self.page(self.article(plan, interval), **others)
        assert self.fake.pay(page.id) is None
        name = self.fake.get("checkout.session", page.id)["subscription"]
        found = await self.agreement(name)
        await self.news()
        return found

    async def agreement(self, name: str) -> Agreement:
        """As it stands now."""
        facts = await self.stripe.auditor.agreement(name)
        assert facts is not None
        return facts.agreements[0]

    async def news(self) -> list[Delivery]:
        """What came since it was asked last, proved."""
        await self.fake.delivered()
        taken, self.inbox.taken[:] = list(self.inbox.taken), []
        return [self.stripe.inbound.verified(headers, body, now()) for headers, body in taken]

    async def told(self) -> dict[str, Facts | str]:
        """What comes of each kind of event since it was asked last; why, where nothing does."""
        told: dict[str, Facts | str] = {}
        for delivery in await self.news():
            try:
                told[delivery.event_type] = await self.stripe.inbound.facts(delivery)
            except NotOurs as error:
                told[delivery.event_type] = str(error)
        return told

    async def payments(self) -> dict[str, Payment]:
        """The payments in what was told since it was asked last."""
        facts = [one for one in (await self.told()).values() if isinstance(one, Facts)]
        return {payment.id: payment for one in facts for payment in one.payments}
