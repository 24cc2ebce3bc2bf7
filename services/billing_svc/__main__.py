"""`python -m services.billing_svc` serves billing_svc."""

import sys
from datetime import UTC, datetime
from functools import partial

from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load
from scenemesh.billing.v1 import billing_pb2_grpc
from services.billing_svc import plans
from services.billing_svc.domain import Plan
from services.billing_svc.servicer import SERVICE, BillingServicer
from services.billing_svc.settings import Settings
from services.billing_svc.store import MIGRATIONS, SCHEMA, Subscriptions


async def main(settings: Settings, offered: tuple[Plan, ...]) -> None:
    dsn = settings.postgres_dsn.get_secret_value()
    async with pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        servicer = BillingServicer(offered, Subscriptions(connections), partial(datetime.now, UTC))
        register = partial(billing_pb2_grpc.add_BillingServiceServicer_to_server, servicer)
        await serve(settings, "billing", register, [SERVICE])


def read_plans() -> tuple[Plan, ...]:
    """The plans on offer; prints every fault of their file as a line and exits with 78 if there is one."""
    try:
        return plans.load(plans.PLANS)
    except plans.PlansError as error:
        print(error, file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    settings = load(Settings)
    run("billing", settings, partial(main, settings, read_plans()))
