"""`python -m services.quota_svc` serves quota_svc."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from runtime.channels import channels
from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import load
from scenemesh.quota.v1 import quota_pb2_grpc
from services.quota_svc.plans import Plans
from services.quota_svc.servicer import SERVICE, QuotaServicer
from services.quota_svc.settings import Settings
from services.quota_svc.store import MIGRATIONS, SCHEMA, Ledger


async def main(settings: Settings) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        channels(settings, "quota") as connect,
        asyncio.TaskGroup() as tasks,
    ):
        plans = await Plans.first(connect("billing"))
        refreshing = tasks.create_task(plans.refreshing())
        servicer = QuotaServicer(Ledger(connections), plans, partial(datetime.now, UTC), uuid4)
        register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, servicer)
        await serve(settings, "quota", register, [SERVICE])
        refreshing.cancel()


if __name__ == "__main__":
    settings = load(Settings)
    run("quota", settings, partial(main, settings))
