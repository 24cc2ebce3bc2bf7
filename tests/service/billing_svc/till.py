"""A provider's API at the wire: it gives one answer to whatever is asked, and remembers what that was."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from services.billing_svc.domain.plan import Catalogue, Interval, Pack, Plan, PlanArticle, Price, Provider
from services.billing_svc.payments.provider import Order

NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = {Provider.LEMON_SQUEEZY: ("11", "10"), Provider.CRYPTOMUS: ("plans/pro/month",)}
PRO = Plan("pro", "Pro", (Price(Interval.MONTH, 999, ids=IDS), Price(Interval.WEEK, 299)), (), 8000)
SMALL = Pack("small", "100 credits", 100, 500, {Provider.LEMON_SQUEEZY: ("21",), Provider.CRYPTOMUS: ("packs/small",)})
CATALOGUE = Catalogue([PRO], [SMALL])
MONTH, WEEK = PlanArticle(PRO, PRO.prices[0]), PlanArticle(PRO, PRO.prices[1])


def order(article: PlanArticle | Pack, **fields: Any) -> Order:
    return Order("ada", article, "key of the order", "https://app.example/paid", "https://app.example/plans", **fields)


@dataclass
class Asked:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Till:
    """`answer` is what is sent next: a status and a body."""

    url: str = ""
    answer: tuple[int, bytes] = (200, b"{}")
    asked: list[Asked] = field(default_factory=list)

    def answers(self, status: int, body: object) -> None:
        self.answer = (status, json.dumps(body).encode())

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(Asked(request.path, request.headers, await request.read()))
        status, body = self.answer
        headers = {"location": "/elsewhere"} if status == 302 else {}
        return web.Response(status=status, body=body, headers=headers)


@asynccontextmanager
async def till() -> AsyncIterator[Till]:
    """Open while the block runs, on a port that is free."""
    one = Till()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", one.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        one.url = f"http://{host}:{port}"
        yield one
    finally:
        await runner.cleanup()
