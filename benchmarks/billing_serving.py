"""billing_svc's webhooks for `benchmarks/billing.py`: a process that prints its address.

python -m benchmarks.billing_serving DSN CERTIFICATES [work]

It checks Stripe's signatures and keeps what comes. With `work` it works on it, too: on a Stripe that answers at once.
"""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from benchmarks.billing_events import SECRET, USERS
from runtime import logs
from runtime.postgres import pool
from runtime.process import settled
from runtime.serve import serving
from runtime.settings import ProcessSettings
from scenemesh.billing.v1 import webhook_pb2_grpc
from services.billing_svc.announcing import Announcing
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Allowance, Catalogue, Interval, Period, Plan, Price, Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.payments.stripe import webhooks
from services.billing_svc.servicer.webhooks import SERVICE, WebhookServicer
from services.billing_svc.store import MIGRATIONS, SCHEMA, Books
from services.billing_svc.store.deliveries import Deliveries
from services.billing_svc.webhooks.intake import Intake
from services.billing_svc.webhooks.processing import Processing

MONTH = timedelta(days=30)
CHAT = (Allowance("chat", 5, Period.DAY),)
CATALOGUE = Catalogue(
    (
        Plan("free", "Free", (), CHAT, 12_000),
        Plan("pro", "Pro", (Price(Interval.MONTH, 1499, 20),), CHAT, 64_000),
    )
)

clock = partial(datetime.now, UTC)


class Stripe:
    """Proves as the real adaptor does; what it says follows from the event's number, without asking anybody."""

    provider = Provider.STRIPE

    def verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        webhooks.prove(headers.get("stripe-signature", ""), body, [SECRET], now)
        event = webhooks.parsed(body)
        return Delivery(event.id, event.type, event.time, body, (event.object_id,))

    async def facts(self, delivery: Delivery) -> Facts:
        invoice = webhooks.parsed(delivery.body).object_id
        user = f"user{int(invoice.removeprefix('in_benchmark')) % USERS}"
        start = delivery.event_time
        agreement = Agreement(
            Provider.STRIPE, f"sub_{user}", user, "pro", Interval.MONTH, State.ACTIVE, start, start + MONTH
        )
        line = Line("il", "plans/pro", 1499, Interval.MONTH, start, start + MONTH, credits=20)
        payment = Payment(
            Provider.STRIPE, invoice, user, PaymentState.PAID, 1499, "usd", start, (line,), agreement=agreement.id
        )
        return Facts((agreement,), (payment,))


async def serve(dsn: str, certificates: Path, *, work: bool) -> None:
    """Serves WebhookService as `python -m services.billing_svc` does."""
    settings = ProcessSettings(certificates=certificates / "billing", redis_url="unix:///nowhere")
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        asyncio.TaskGroup() as tasks,
        AsyncExitStack() as stack,
    ):
        inbounds, deliveries = {Provider.STRIPE: Stripe()}, Deliveries(connections)
        keeping = Keeping(Books(connections), CATALOGUE, Announcing(uuid4), clock, lambda: None)
        processing = Processing(inbounds, deliveries, keeping, clock)
        intake = Intake(inbounds, deliveries, clock, uuid4, processing.nudge)
        servicer = WebhookServicer(intake, deliveries, clock, processing.nudge)
        register = partial(webhook_pb2_grpc.add_WebhookServiceServicer_to_server, servicer)
        tasks.create_task(intake.run())
        if work:
            tasks.create_task(processing.run())
        server = await stack.enter_async_context(serving(settings, register, [SERVICE]))
        settled()
        print(server.address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    logs.configure("benchmark", "WARNING")
    dsn, certificates, *options = sys.argv[1:]
    asyncio.run(serve(dsn, Path(certificates), work="work" in options))
