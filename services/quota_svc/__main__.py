"""`python -m services.quota_svc` serves quota_svc."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from runtime import redis
from runtime.channels import channels
from runtime.events.relay import Relay
from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import load
from scenemesh.quota.v1 import quota_pb2_grpc
from services.quota_svc.announcing import Announcing
from services.quota_svc.commits import Commits
from services.quota_svc.meters import meters
from services.quota_svc.plans import Plans
from services.quota_svc.servicer import SERVICE, QuotaServicer
from services.quota_svc.settings import Settings
from services.quota_svc.store import MIGRATIONS, SCHEMA, History, Ledger, Written
from services.quota_svc.sweeping import Sweeping
from services.quota_svc.watching import Watching


async def main(settings: Settings) -> None:
    clock = partial(datetime.now, UTC)
    dsn = settings.postgres_dsn.get_secret_value()
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        redis.connect(settings.redis_url) as live,
        channels(settings, "quota") as connect,
        asyncio.TaskGroup() as tasks,
    ):
        plans = await Plans.first(connect("billing"), meters(), shadow=settings.quota_shadow)
        relay, watching = Relay(connections, live), Watching(live, clock)

        def changed(written: Written) -> None:
            watching.changed(written.users)
            if written.told:
                relay.nudge()

        ledger = Ledger(connections, Announcing(clock, uuid4).messages)
        commits = Commits(ledger, plans.tariff, clock, changed)
        batches = Commits(ledger, plans.tariff, clock, changed)
        sweeping = Sweeping(ledger, batches, plans.tariff, clock)
        workers = (plans.refreshing, relay.run, watching.run, commits.run, batches.run, sweeping.run)
        background = [tasks.create_task(work()) for work in workers]
        servicer = QuotaServicer(ledger, History(connections), commits, batches, watching, plans.tariff, clock)
        register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, servicer)
        await serve(settings, "quota", register, [SERVICE])
        for task in background:
            task.cancel()


if __name__ == "__main__":
    settings = load(Settings)
    run("quota", settings, partial(main, settings))
