"""A pretend Stripe whose webhooks are lost, and the reconciliation that makes up for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import pytest
from aiohttp import web

from cli.local.stripe.pretend import PLANS, Pretend, pretend
from runtime.postgres import Pool
from services.billing_svc.applying import Applying
from services.billing_svc.domain.drift import DriftKind, Scope
from services.billing_svc.domain.plan import Catalogue, Interval
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.stripe import Stripe
from services.billing_svc.plans import load
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.store.customers import Customers
from services.billing_svc.store.deliveries import Deliveries
from services.billing_svc.webhooks.intake import Intake
from services.billing_svc.webhooks.processing import Processing
from tests.service.billing_svc.reconciling.ledger import LedgerDesk
from tests.service.billing_svc.reconciling.office import kinds
from tests.service.billing_svc.stripe.shopping import Inbox, Shop, adaptor

WAIT_SECONDS_MAX = 90.0


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load(PLANS, "test")


@pytest.fixture
def clock() -> partial[datetime]:
    return partial(datetime.now, UTC)


class Door:
    """Where the webhooks come to, once there is somebody who takes them in."""

    def __init__(self) -> None:
        self.url = ""
        self.intake: Intake | None = None

    async def take(self, request: web.Request) -> web.Response:
        assert self.intake is not None
        headers = {name.lower(): value for name, value in request.headers.items()}
        await self.intake.receive(self.stripe.inbound.provider, headers, await request.read())
        return web.Response()

    stripe: Stripe

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Door]:
        application = web.Application()
        application.add_routes([web.post("/", self.take)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            yield self
        finally:
            await runner.cleanup()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with Door().opened() as door:
        yield door


@pytest.fixture
async def fake(door: Door) -> AsyncIterator[Pretend]:
    async with pretend(door.url) as fake:
        yield fake


@pytest.fixture
async def stripe(fake: Pretend, catalogue: Catalogue, connections: Pool) -> AsyncIterator[Stripe]:
    # It is typed for the store in memory that the tests of the adaptor alone have.
    async with adaptor(fake, catalogue, Customers(connections)) as stripe:  # type: ignore[arg-type]
        yield stripe


@pytest.fixture
def auditor(stripe: Stripe) -> object:
    return stripe.auditor


@pytest.fixture
async def shop(
    door: Door,
    fake: Pretend,
    stripe: Stripe,
    catalogue: Catalogue,
    connections: Pool,
    keeping: Keeping,
    applying: Applying,
    clock: partial[datetime],
) -> AsyncIterator[Shop]:
    """Open, with everybody at work who takes webhooks in, works on them and tells quota_svc."""
    deliveries = Deliveries(connections)
    processing = Processing({stripe.inbound.provider: stripe.inbound}, deliveries, keeping, clock)
    door.stripe = stripe
    door.intake = Intake({stripe.inbound.provider: stripe.inbound}, deliveries, clock, uuid4, processing.nudge)
    tasks = [asyncio.create_task(work()) for work in (door.intake.run, processing.run, applying.run)]
    try:
        yield Shop(fake, stripe, catalogue, Inbox(""))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def subscribes(shop: Shop, user: str, plan: str, interval: Interval) -> str:
    page = await shop.page(shop.article(plan, interval), user=user)
    assert shop.fake.pay(page.id) is None
    name: str = shop.fake.get("checkout.session", page.id)["subscription"]
    return name


async def buys(shop: Shop, user: str, pack: str) -> str:
    page = await shop.page(shop.pack(pack), user=user)
    assert shop.fake.pay(page.id) is None
    name: str = shop.fake.get("checkout.session", page.id)["payment_intent"]
    return name


async def everything_happens(shop: Shop) -> None:
    """What eight users do at Stripe within one test."""
    fake = shop.fake
    fake.renew(await subscribes(shop, "ann", "pro", Interval.MONTH))
    await subscribes(shop, "bob", "creator", Interval.WEEK)
    fake.refund(fake.all("invoice")[0]["id"])
    fake.cancel(await subscribes(shop, "cat", "max", Interval.MONTH))
    dan = await shop.agreement(await subscribes(shop, "dan", "pro", Interval.MONTH))
    await shop.stripe.desk.change(dan, shop.article("max", Interval.MONTH), at_end=False, key=str(uuid4()))
    fake.dispute(await buys(shop, "eve", "small"))
    fake.refund(await buys(shop, "fay", "large"), 1000)
    gus = await subscribes(shop, "gus", "creator", Interval.WEEK)
    fake.fail(gus)
    fake.renew(gus)
    hal = await shop.agreement(await subscribes(shop, "hal", "pro", Interval.MONTH))
    await shop.stripe.desk.cancel(hal, immediately=False, key=str(uuid4()))


# The plan in quota_svc, the credits there, and how the subscription stands.
AFTERWARDS = {
    "ann": ("plans/pro", 160, "active"),
    "bob": ("plans/free", 0, "active"),
    "cat": ("plans/free", 160, "active"),
    "dan": ("plans/max", 80, "active"),
    "eve": ("plans/free", 0, "active"),
    "fay": ("plans/free", 1199, "active"),
    "gus": ("plans/creator", 10, "past_due"),
    "hal": ("plans/pro", 80, "cancelled"),
}


async def nothing_waits(connections: Pool) -> None:
    """Every delivery is worked on, and every effect told."""
    waiting = "SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending') + (SELECT count(*) FROM effects)"
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while await connections.fetchval(waiting):
            await asyncio.sleep(0.02)


async def state(connections: Pool, quota_desk: LedgerDesk) -> dict[str, tuple[str, int, str]]:
    rows = await connections.fetch("SELECT user_id, state FROM subscriptions ORDER BY user_id")
    users = [(row["user_id"], row["state"]) for row in rows]
    return {user: (quota_desk.plan(user), quota_desk.credits(user), standing) for user, standing in users}


@pytest.mark.parametrize("lost", [0.05, 0.5, 1.0])
async def test_lost_webhooks_are_made_up_for_from_what_stripe_says(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool, lost: float
) -> None:
    shop.fake.faults(drop_share=lost, seed=7)
    await everything_happens(shop)
    await shop.fake.delivered()
    await nothing_waits(connections)
    found = await kinds(reconciling)
    assert all(repaired for _, _, repaired in found)
    await nothing_waits(connections)
    assert await state(connections, quota_desk) == AFTERWARDS
    assert await kinds(reconciling) == []
    assert (lost < 1) or {kind for kind, _, _ in found} == {DriftKind.AGREEMENT_UNKNOWN, DriftKind.PAYMENT_UNKNOWN}


async def test_what_the_webhooks_said_and_what_stripe_lists_are_the_same(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool
) -> None:
    await everything_happens(shop)
    await shop.fake.delivered()
    await nothing_waits(connections)
    assert await state(connections, quota_desk) == AFTERWARDS
    assert await kinds(reconciling) == []
    for user in AFTERWARDS:
        assert await kinds(reconciling, Scope(user=user)) == []


async def test_an_account_that_was_started_anew_ends_nobodys_plan(
    shop: Shop, fake: Pretend, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool
) -> None:
    name = await subscribes(shop, "ann", "pro", Interval.MONTH)
    await shop.fake.delivered()
    await nothing_waits(connections)
    for kind in ("subscription", "invoice"):
        for one in fake.account.store.all(kind):
            fake.account.store.drop(kind, one["id"])
    assert await kinds(reconciling) == [(DriftKind.AGREEMENT_GONE, name, False)]
    assert quota_desk.plan("ann") == "plans/pro"
