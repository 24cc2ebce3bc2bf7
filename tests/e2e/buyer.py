"""Somebody who buys: what they ask over REST, and how they wait for what comes by itself."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.e2e.clients import Answer, Json, Rest
from tests.e2e.stack import Stack

# Far more than anything takes; what is measured elsewhere is not measured here.
ARRIVAL_SECONDS = 90
POLL_SECONDS = 0.05
# Where a checkout's page sends its buyer.
BACK = {"success_url": "https://app.example/paid", "cancel_url": "https://app.example/back"}


async def until(ask: Callable[[], Awaitable[Any]], expected: Any, seconds: float = ARRIVAL_SECONDS) -> None:
    """Asks until the answer is the expected one."""
    told: Any = None
    try:
        async with asyncio.timeout(seconds):
            while (told := await ask()) != expected:
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"still {told!r}, not {expected!r}") from None


@dataclass(frozen=True)
class Buyer:
    """One user of a stack."""

    stack: Stack
    user: str

    @property
    def rest(self) -> Rest:
        return Rest(self.stack.url, self.stack.token(user=self.user))

    async def ask(self, path: str) -> Json:
        answer = await self.rest.call("GET", f"/v1/users/me/{path}")
        assert answer.status == 200, answer.body
        body: Json = answer.body
        return body

    async def change(self, path: str, **request: Any) -> Json:
        """A change that succeeds."""
        answer = await self.attempt(path, **request)
        assert answer.status == 200, answer.body
        body: Json = answer.body
        return body

    async def attempt(self, path: str, **request: Any) -> Answer:
        return await self.rest.call("POST", f"/v1/users/me/{path}", {"request_id": str(uuid4()), **request})

    async def refused(self, path: str, **request: Any) -> tuple[int, str]:
        """The status and the reason of a change that does not come about."""
        answer = await self.attempt(path, **request)
        return answer.status, answer.body["details"][0]["reason"]

    async def checkout(self, **article: Any) -> Json:
        """A page where a plan (`plan={"plan": "plans/pro", "interval": "INTERVAL_MONTH"}`) or a `pack` is paid for."""
        return await self.change("checkoutSessions", **article, **BACK)

    async def standing(self) -> tuple[str, str]:
        """The plan, and how the subscription stands."""
        subscription = await self.ask("subscription")
        return subscription["plan"].removeprefix("plans/"), subscription["state"].removeprefix("SUBSCRIPTION_STATE_")

    async def allowed(self) -> str:
        """The plan, as quota_svc has it."""
        return str((await self.ask("quota"))["plan"]).removeprefix("plans/")

    async def credits(self) -> int:
        """Credits that are left, as quota_svc counts them."""
        meters = (await self.ask("quota"))["meters"]
        return sum(int(meter["remaining"]) for meter in meters if meter["meter"] == "credits")

    async def grants(self) -> list[int]:
        """Every gift of credits, oldest first."""
        entries = await self.rest.call("GET", "/v1/users/me/entries?page_size=100")
        return [
            int(entry["amount"])
            for entry in reversed(entries.body["entries"])
            if (entry["meter"], entry["kind"]) == ("credits", "ENTRY_KIND_GRANT")
        ]

    async def invoices(self) -> list[Json]:
        """What was charged, newest first."""
        listed: list[Json] = (await self.ask("invoices"))["invoices"]
        return listed

    async def charges(self) -> list[tuple[str, str]]:
        """What each invoice is for and how it stands, newest first."""
        return [
            (invoice["lines"][0]["article"], invoice["state"].removeprefix("INVOICE_STATE_"))
            for invoice in await self.invoices()
        ]

    async def payment(self) -> str:
        """Stripe's id of the last charge."""
        return str((await self.invoices())[0]["name"]).rpartition("/stripe-")[2]
