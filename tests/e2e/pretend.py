"""The pretended Stripe of a stack: its pages, as a browser uses them, and what a test makes it do."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.e2e.clients import Json
from tests.e2e.stack import Stack

GOOD_CARD, DECLINED_CARD = "pm_card_visa", "pm_card_chargeDeclined"
# As it is when nothing is wrong with it.
SOUND = {"duplicate": False, "shuffle": False, "delay_ms": 0, "drop_share": 0, "thin": False, "api_delay_ms": 0}


@dataclass(frozen=True)
class Stripe:
    stack: Stack

    @property
    def url(self) -> str:
        return str(self.stack.described()["processes"]["stripe"]["address"])

    async def misbehave(self, **faults: Any) -> None:
        """Only so from now on."""
        await self._told("faults", **{**SOUND, **faults})

    async def advance(self, time: timedelta) -> None:
        """Lets time pass there."""
        await self._told("clock", advance_seconds=int(time.total_seconds()))

    async def pay(self, page: Json, card: str = GOOD_CARD) -> str:
        """Presses «Pay» on a checkout's page; gives where the browser is sent."""
        assert "test" in await self.shown(page["url"])
        return await self.press(page["url"], card=card)

    async def press(self, url: str, **form: str) -> str:
        """Presses a button of a page; gives where the browser is sent."""
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(url, data=form, allow_redirects=False) as pressed,
        ):
            assert pressed.status == 303, await pressed.text()
            return pressed.headers["location"]

    async def shown(self, url: str) -> str:
        """A page of it, in small letters."""
        async with aiohttp.ClientSession() as browser, browser.get(url) as shown:
            assert (shown.status, shown.content_type) == (200, "text/html")
            return (await shown.text()).lower()

    async def refund(self, payment: str, cents: int | None = None) -> None:
        """Gives back all of a payment, or so many cents."""
        await self._told(f"payments/{payment}/refund", **({} if cents is None else {"amount": cents}))

    async def dispute(self, payment: str) -> None:
        """Lets the buyer's bank take a payment back."""
        await self._told(f"payments/{payment}/dispute")

    async def renew(self, subscription: str) -> None:
        """Ends the present period of a subscription, whatever that brings."""
        await self._told(f"subscriptions/{subscription}/renew")

    async def fail(self, subscription: str, times: int = 1) -> None:
        """Declines the next payments for a subscription."""
        await self._told(f"subscriptions/{subscription}/fail", times=times)

    async def sent(self) -> list[Json]:
        """Every attempt to deliver an event, newest first."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/_test/webhooks") as response:
            attempts: list[Json] = (await response.json())["data"]
            return attempts

    async def send_again(self, count: int = 30) -> None:
        """Delivers the last events once more."""
        events = {attempt["event"] for attempt in (await self.sent())[:count]}
        async with asyncio.TaskGroup() as tasks:
            for event in events:
                tasks.create_task(self._told(f"events/{event}/send"))

    async def lost(self, kind: str) -> int:
        """How many events of a kind were lost on purpose."""
        return sum(1 for one in await self.sent() if (one["type"], one["error"]) == (kind, "lost on purpose"))

    async def _told(self, path: str, **values: Any) -> Json:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/_test/{path}", json=values) as response,
        ):
            assert response.status == 200, await response.text()
            answer: Json = await response.json()
            return answer


def landing(url: str) -> str:
    """The host of where a browser was sent."""
    return str(urlsplit(url).hostname)
