"""A burst of webhooks: how many are refused, how long it takes to work on all, and what it does to memory."""

import asyncio
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil

from benchmarks import load
from benchmarks.billing_contenders import ours
from benchmarks.billing_edge import edge
from benchmarks.billing_events import post
from benchmarks.posting import Posting, posting
from services.billing_svc.store import SCHEMA
from tests.harness import engines

WARM = 500
BURSTS = 3
AT_ONCE = 500
DRAINED_SECONDS_MAX = 600
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Burst:
    """`statuses` counts the answers; memory is what is resident once the burst is worked on, in MiB."""

    events: int
    statuses: Counter[int]
    acknowledged_seconds: float
    drained_seconds: float
    memory_mib: float


async def bursts(postgres: str, directory: Path, events: int) -> list[Burst]:
    """Some bursts of so many events through Envoy, one after the other, each worked on to its end."""
    async with engines.database(postgres) as dsn:
        with ours(dsn, directory / "certificates", "work") as (address, pid):
            async with edge(directory, directory / "certificates", address) as public, posting(public) as client:
                database = await asyncpg.connect(dsn, server_settings={"search_path": SCHEMA})
                try:
                    await _burst(client, database, pid, 0, WARM)
                    begins = [WARM + number * events for number in range(BURSTS)]
                    return [await _burst(client, database, pid, begin, events) for begin in begins]
                finally:
                    await database.close()


async def _burst(
    client: Posting, database: "asyncpg.Connection[asyncpg.Record]", pid: int, first: int, events: int
) -> Burst:
    posts = [post(number) for number in range(first, first + events)]
    statuses: Counter[int] = Counter()

    async def send(number: int) -> None:
        headers = {"stripe-signature": posts[number].signature, "content-type": "application/json"}
        statuses[await client.post("/v1/webhooks/stripe", headers, posts[number].body)] += 1

    begun = time.perf_counter()
    await load.closed(send, events, AT_ONCE)
    acknowledged = time.perf_counter() - begun
    async with asyncio.timeout(DRAINED_SECONDS_MAX):
        while await database.fetchval("SELECT count(*) FROM deliveries WHERE state = 'pending'"):  # noqa: ASYNC110
            await asyncio.sleep(POLL_SECONDS)
    drained = time.perf_counter() - begun
    memory_mib = psutil.Process(pid).memory_info().rss / 2**20
    told = f"acknowledged in {acknowledged:.1f} s, drained in {drained:.1f} s, {memory_mib:.0f} MiB"
    print(f"{events} events: {dict(statuses)}, {told}", file=sys.stderr)
    return Burst(events, statuses, acknowledged, drained, memory_mib)
