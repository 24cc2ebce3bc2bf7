"""One replica of quota_svc: wired as its own `__main__` wires it, with the test's clock and plans."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from runtime import redis
from runtime.events.relay import Relay
from runtime.postgres import Pool
from scenemesh.quota.v1 import quota_pb2_grpc
from services.quota_svc.announcing import Announcing
from services.quota_svc.commits import Commits
from services.quota_svc.plans import Plans
from services.quota_svc.servicer import SERVICE, QuotaServicer
from services.quota_svc.store import History, Ledger, Written
from services.quota_svc.sweeping import Sweeping
from services.quota_svc.watching import Watching
from tests.harness.serving import served
from tests.service.quota_svc.desk import Clock, Desk


@asynccontextmanager
async def replica(
    certificates: Path, connections: Pool, redis_url: str, plans: Plans, clock: Clock, *, queue_max: int = 4096
) -> AsyncIterator[Desk]:
    """A desk in front of a replica that lives as long as the block. Sweeps happen when the test asks for them."""
    async with redis.connect(redis_url) as live:
        relay, watching = Relay(connections, live), Watching(live, clock)

        def changed(written: Written) -> None:
            watching.changed(written.users)
            if written.told:
                relay.nudge()

        ledger = Ledger(connections, Announcing(clock, uuid4).messages)
        commits = Commits(ledger, plans.tariff, clock, changed, queue_max=queue_max)
        batches = Commits(ledger, plans.tariff, clock, changed)
        sweeping = Sweeping(ledger, batches, plans.tariff, clock)
        servicer = QuotaServicer(ledger, History(connections), commits, batches, watching, plans.tariff, clock)
        register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, servicer)
        background = [asyncio.create_task(work()) for work in (relay.run, watching.run, commits.run, batches.run)]
        try:
            async with served(certificates, "quota", register, SERVICE) as dial:
                yield Desk(dial, clock, sweeping)
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
