import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import stripe

from cli.local.stripe.account import KEY
from tests.service.pretend_stripe.endpoint import SECRET, Endpoint

START_SECONDS_MAX = 90.0
STOP_SECONDS_MAX = 60.0


@asynccontextmanager
async def process(folder: Path, plans: Path, webhook_url: str) -> AsyncIterator[str]:
    """The URL of a pretend Stripe in a process of its own, which keeps its account in the folder."""
    ready = folder / "ready"
    named = {
        "READY_FILE": str(ready),
        "STATE_FILE": str(folder / "stripe.json"),
        "WEBHOOK_URL": webhook_url,
        "WEBHOOK_SECRET": SECRET,
    }
    settings = {f"SCENEMESH_PRETEND_STRIPE_{name}": value for name, value in named.items()}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.local.stripe"), env={**os.environ, **settings, "SCENEMESH_PLANS": str(plans)}
    )
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            while not (ready.exists() and ready.read_text()):
                assert started.returncode is None
                await asyncio.sleep(0.02)
        yield ready.read_text()
    finally:
        started.terminate()
        async with asyncio.timeout(STOP_SECONDS_MAX):
            assert await started.wait() == 0
        assert not ready.exists()


async def test_what_was_bought_is_there_after_a_restart(tmp_path: Path, plans: Path, hook: Endpoint) -> None:
    connections = stripe.AIOHTTPClient(timeout=60)
    nowhere = "http://127.0.0.1:9/hook"
    async with process(tmp_path, plans, nowhere) as first:
        client = stripe.StripeClient(KEY, http_client=connections, base_addresses={"api": first})
        customer = await client.v1.customers.create_async({"email": "ann@example.com"}, {"idempotency_key": "k"})
    assert (tmp_path / "stripe.json").stat().st_mode & 0o777 == 0o600
    async with process(tmp_path, plans, hook.url) as second:
        # The links that it gave away still lead to it.
        assert second == first
        again = await client.v1.customers.create_async({"email": "ann@example.com"}, {"idempotency_key": "k"})
        assert again.id == customer.id
        async with asyncio.timeout(START_SECONDS_MAX):
            while not hook.taken:
                await asyncio.sleep(0.02)
    assert hook.types == ["customer.created"]
    await connections.close_async()  # type: ignore[no-untyped-call]


async def test_plans_that_are_not_there_are_one_line(tmp_path: Path) -> None:
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.local.stripe"),
        env={**os.environ, "SCENEMESH_PLANS": str(tmp_path / "none.toml")},
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(START_SECONDS_MAX):
        _, said = await started.communicate()
    assert started.returncode == 1
    assert said.decode().startswith("The pretend Stripe cannot run: ")
    assert len(said.splitlines()) == 1
