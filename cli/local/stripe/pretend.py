"""A pretend Stripe in this process.

    async with pretend(webhook_url, secret, plans) as fake:
        client = stripe.StripeClient(fake.key, http_client=…, base_addresses={"api": fake.url})
        session = await client.v1.checkout.sessions.create_async({…})
        fake.pay(session.id)
        await fake.delivered()

`acting.Pretend` says what else can be done to it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web

from cli.local.stripe import catalogue
from cli.local.stripe.account import Account
from cli.local.stripe.acting import Pretend
from cli.local.stripe.api.answering import Answering
from cli.local.stripe.api.serving import Api
from cli.local.stripe.control import Control
from cli.local.stripe.delivering import BACKOFF_SECONDS, Deliveries
from cli.local.stripe.origin import own_pages_only
from cli.local.stripe.pages.serving import Pages

__all__ = ["PLANS", "SECRET", "Pretend", "pretend"]

# The plans that ship, beside the source tree.
PLANS = Path(__file__).resolve().parents[3] / "services" / "billing_svc" / "plans.toml"
SECRET = "whsec_pretend"  # noqa: S105 (signs what a pretend account says)
TICK_SECONDS = 1.0
BODY_BYTES_MAX = 2**20


async def _ticking(fake: Pretend) -> None:
    while True:
        await asyncio.sleep(TICK_SECONDS)
        fake.tick()


@asynccontextmanager
async def pretend(
    webhook_url: str | None = None,
    secret: str = SECRET,
    plans: Path = PLANS,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    account: Account | None = None,
    backoff_seconds: float = BACKOFF_SECONDS,
) -> AsyncIterator[Pretend]:
    """A pretend Stripe that sells what `plans` says and tells `webhook_url`, signed with `secret`, of what happens.

    `backoff_seconds` is the wait after the first delivery that failed; each further wait is twice as long.
    """
    account = account or Account()
    with account.store.transaction():
        catalogue.stock(account, plans)
    deliveries = Deliveries(account, webhook_url, secret, backoff_seconds=backoff_seconds)
    fake = Pretend(account, deliveries)
    runner = web.AppRunner(_application(fake), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        account.url = f"http://{host}:{runner.addresses[0][1]}"
        async with _background(fake):
            yield fake
    finally:
        await runner.cleanup()


def _application(fake: Pretend) -> web.Application:
    application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[own_pages_only])
    application.add_routes(Api(Answering(fake.account), fake.deliveries).routes())
    application.add_routes(Control(fake).routes())
    application.add_routes(Pages(fake).routes())
    return application


@asynccontextmanager
async def _background(fake: Pretend) -> AsyncIterator[None]:
    """What goes on beside the requests, for as long as the body runs."""

    async def both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fake.deliveries.run())
            tasks.create_task(_ticking(fake))

    running = asyncio.create_task(both())
    running.add_done_callback(lambda _: fake.broken.set())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
