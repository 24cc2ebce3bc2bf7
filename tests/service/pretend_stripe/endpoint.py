"""An endpoint for webhooks, which proves them with the real SDK."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import stripe
from aiohttp import web

SECRET = "whsec_of_a_test"


@dataclass
class Endpoint:
    """Takes webhooks, or answers `refusals` of them with 500 first."""

    url: str = ""
    refusals: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.taken]

    @property
    def copies(self) -> dict[str, int]:
        """How often each event came."""
        return dict(Counter(event["id"] for event in self.taken))

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        stripe.WebhookSignature.verify_header(body, request.headers["Stripe-Signature"], SECRET, tolerance=60)
        if self.refusals:
            self.refusals -= 1
            return web.Response(status=500)
        self.taken.append(json.loads(body))
        return web.Response()


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    opened = Endpoint()
    application = web.Application()
    application.add_routes([web.post("/hook", opened.take)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        opened.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield opened
    finally:
        await runner.cleanup()
