"""A process that dies while money is being counted, and what is written down of all that."""

import asyncio
import os
import re
import signal
from pathlib import Path

from tests.e2e.appstore import AUTHORIZATION
from tests.e2e.buyer import Buyer, until
from tests.e2e.pretend import Stripe
from tests.e2e.stack import CRYPTOMUS_KEY, LEMON_SQUEEZY_SECRET, Stack

BUYERS = 12
# Whoever died keeps what it had begun for a minute; then it is another's.
TAKEOVER_SECONDS = 200
# Envoy writes its lines down every ten seconds.
WRITTEN_SECONDS = 60


async def test_a_killed_process_loses_no_payment_and_counts_none_twice(stack: Stack) -> None:
    stripe = Stripe(stack)
    buyers = [Buyer(stack, f"killed-{number}") for number in range(BUYERS)]
    pages = [await buyer.checkout(pack="packs/small") for buyer in buyers]
    earlier = await _taken(stripe)
    # Slow enough that what was acknowledged is not yet done.
    await stripe.misbehave(api_delay_ms=300, duplicate=True)
    try:
        async with asyncio.TaskGroup() as paying:
            for page in pages:
                paying.create_task(stripe.pay(page))
        await until(lambda: _has_taken_others(stripe, earlier), True)
        os.kill(stack.pids("billing")[0], signal.SIGKILL)
    finally:
        await stripe.misbehave()
    for buyer in buyers:
        await until(buyer.grants, [100], TAKEOVER_SECONDS)
    assert [await buyer.charges() for buyer in buyers] == [[("packs/small", "PAID")]] * BUYERS


async def _taken(stripe: Stripe) -> set[str]:
    """The payments that were acknowledged to Stripe."""
    sent = await stripe.sent()
    return {one["event"] for one in sent if (one["type"], one["status"]) == ("checkout.session.completed", 200)}


async def _has_taken_others(stripe: Stripe, earlier: set[str]) -> bool:
    return bool(await _taken(stripe) - earlier)


async def test_nothing_of_a_payment_is_written_down_that_is_nobodys_business(stack: Stack) -> None:
    """By now every log has lines of payments, refusals and failures: see the tests of billing before this one."""
    logs = stack.state / "logs"
    await until(lambda: _mentions(logs / "envoy.log", "/v1/webhooks/stripe"), True, WRITTEN_SECONDS)
    secrets = {
        "a signing secret": r"whsec_",
        "a key": r"[sr]k_(test|live)_",
        "a signature": r"v1=[0-9a-f]{16}|stripe-signature",
        "an agreed value": re.escape(AUTHORIZATION.removeprefix("Bearer ")),
        "another provider's secret": f"{LEMON_SQUEEZY_SECRET}|{CRYPTOMUS_KEY}",
        "an address": r"[\w.+-]+@[\w-]+\.(com|org|example)\b",
        "a body": r"original_transaction_id|\\?\"data\\?\": ?\{ ?\\?\"object|pm_card_",
        "a card": r"4242[ -]?4242|client_secret",
        "a token": r"eyJ[A-Za-z0-9_-]{10}",
    }
    told = {
        (path.name, name)
        for path in logs.iterdir()
        for name, pattern in secrets.items()
        if re.search(pattern, path.read_text(errors="replace"))
    }
    assert told == set()


async def _mentions(path: Path, text: str) -> bool:
    return text in await asyncio.to_thread(path.read_text, errors="replace")
