"""`python -m services.billing_svc` serves billing_svc."""

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

import grpc

from runtime import redis
from runtime.channels import channels
from runtime.events.relay import Relay
from runtime.postgres import pool
from runtime.process import run
from runtime.serve import serve
from runtime.settings import EX_CONFIG, load
from scenemesh.billing.v1 import billing_pb2_grpc, webhook_pb2_grpc
from scenemesh.quota.v1 import quota_pb2_grpc
from services.billing_svc import plans
from services.billing_svc.announcing import Announcing
from services.billing_svc.applying import Applying
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.keeping import Keeping
from services.billing_svc.managing import Managing
from services.billing_svc.payments.configured import payments, set_up
from services.billing_svc.reconciling.hourly import Hourly
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.redeeming import Redeeming
from services.billing_svc.repeating import Repeating
from services.billing_svc.selling import Selling
from services.billing_svc.servicer import SERVICES
from services.billing_svc.servicer.billing import BillingServicer
from services.billing_svc.servicer.webhooks import WebhookServicer
from services.billing_svc.settings import Settings
from services.billing_svc.store import MIGRATIONS, SCHEMA, Books, Effects
from services.billing_svc.store.audit import Audit
from services.billing_svc.store.checkouts import Checkouts
from services.billing_svc.store.customers import Customers
from services.billing_svc.store.deliveries import Deliveries
from services.billing_svc.store.promos import Promos
from services.billing_svc.store.reading import Invoices
from services.billing_svc.store.requests import Requests
from services.billing_svc.sweeping import Sweeping
from services.billing_svc.webhooks.intake import Intake
from services.billing_svc.webhooks.processing import Processing


async def main(settings: Settings, catalogue: Catalogue) -> None:
    clock = partial(datetime.now, UTC)
    dsn = settings.postgres_dsn.get_secret_value()
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        redis.connect(settings.redis_url) as live,
        channels(settings, "billing") as connect,
        payments(settings, catalogue, Customers(connections), Deliveries(connections), clock) as providers,
        asyncio.TaskGroup() as tasks,
    ):
        books, deliveries, audit = Books(connections), Deliveries(connections), Audit(connections)
        quota = quota_pb2_grpc.QuotaServiceStub(connect("quota"))
        relay, applying = Relay(connections, live), Applying(Effects(connections), quota, clock)

        def kept() -> None:
            applying.nudge()
            relay.nudge()

        keeping = Keeping(books, catalogue, Announcing(uuid4), clock, kept)
        processing = Processing(providers.inbounds, deliveries, keeping, clock)
        intake = Intake(providers.inbounds, deliveries, clock, uuid4, processing.nudge)
        reconciling = Reconciling(providers.auditor, quota, keeping, books, audit, applying, catalogue, clock)
        billing = BillingServicer(
            catalogue,
            Managing(books, keeping, providers.sellers, catalogue, clock),
            Selling(books, keeping, Checkouts(connections), providers.sellers, catalogue, clock),
            Redeeming(books, keeping, catalogue, clock, kept),
            Invoices(connections),
            Promos(connections),
            Repeating(Requests(connections), clock),
            reconciling,
            clock,
        )
        webhooks = WebhookServicer(intake, deliveries, clock, processing.nudge)
        sweeping, hourly = Sweeping(books, keeping, clock), Hourly(reconciling, audit)
        workers = (relay.run, applying.run, intake.run, processing.run, sweeping.run, hourly.run)
        background = [tasks.create_task(work()) for work in workers]
        await serve(settings, "billing", partial(register, billing, webhooks), SERVICES)
        for task in background:
            task.cancel()


def register(billing: BillingServicer, webhooks: WebhookServicer, server: grpc.aio.Server) -> None:
    billing_pb2_grpc.add_BillingServiceServicer_to_server(billing, server)
    webhook_pb2_grpc.add_WebhookServiceServicer_to_server(webhooks, server)


def read_plans(settings: Settings) -> Catalogue:
    """What is on offer here; prints every fault of the file as a line and exits with 78 if there is one."""
    try:
        offered = plans.load(settings.plans or plans.PLANS, settings.billing_environment)
        return offered.sold_by(set_up(settings))
    except (plans.PlansError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 (no logs yet)
        sys.exit(EX_CONFIG)


if __name__ == "__main__":
    settings = load(Settings)
    run("billing", settings, partial(main, settings, read_plans(settings)))
