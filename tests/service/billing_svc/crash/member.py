"""A process of billing_svc that takes webhooks in, works on them and tells quota_svc, until it dies.

python -m tests.service.billing_svc.crash.member DSN CERTIFICATES QUOTA READY_FILE POINT COUNT
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc

from runtime import logs
from runtime.postgres import Pool, connection, pool
from runtime.serve import serving
from runtime.settings import ProcessSettings
from scenemesh.billing.v1 import webhook_pb2_grpc
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.billing_svc.announcing import Announcing
from services.billing_svc.applying import Applying
from services.billing_svc.domain.delivery import DeliveryState
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.plan import Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.servicer.webhooks import SERVICE, WebhookServicer
from services.billing_svc.store import MIGRATIONS, SCHEMA, Book, Books, Effects
from services.billing_svc.store.books import Key
from services.billing_svc.store.deliveries import Claimed, Deliveries, Received
from services.billing_svc.webhooks.intake import Intake
from services.billing_svc.webhooks.processing import Processing
from tests.service.billing_svc.crash import lifecycle
from tests.service.billing_svc.crash.points import Mortal
from tests.service.billing_svc.shop import CATALOGUE
from tests.service.billing_svc.webhooks.scripted import Scripted

LEASE = timedelta(seconds=6)

clock = partial(datetime.now, UTC)


class MortalDeliveries(Deliveries):
    def __init__(self, connections: Pool, mortal: Mortal) -> None:
        super().__init__(connections)
        self._mortal = mortal

    async def keep(self, received: Iterable[Received]) -> None:
        await self._mortal("before the inbox")
        await super().keep(received)
        await self._mortal("after the inbox")

    async def claim(self, provider: Provider, now: datetime, lease: timedelta, count_max: int) -> list[Claimed]:
        claimed = await super().claim(provider, now, lease, count_max)
        if claimed:
            await self._mortal("after the claim")
        return claimed

    async def end(self, one: Claimed, state: DeliveryState, detail: str, now: datetime) -> None:
        await super().end(one, state, detail, now)
        await self._mortal("after the note")


class MortalBooks(Books):
    def __init__(self, connections: Pool, mortal: Mortal) -> None:
        super().__init__(connections)
        self._mortal = mortal

    @asynccontextmanager
    async def opened(self, users: Iterable[str], agreements: Iterable[Key] = ()) -> AsyncIterator[Book]:
        async with super().opened(users, agreements) as book:
            yield book
            await self._mortal("before the commit")
        await self._mortal("after the commit")


class MortalQuota:
    """quota_svc, at the wire."""

    def __init__(self, stub: Any, mortal: Mortal) -> None:
        self._stub = stub
        self._mortal = mortal

    async def SetPlan(self, request: Any, timeout: float) -> Any:
        return await self._passed(self._stub.SetPlan(request, timeout=timeout))

    async def Grant(self, request: Any, timeout: float) -> Any:
        return await self._passed(self._stub.Grant(request, timeout=timeout))

    async def Adjust(self, request: Any, timeout: float) -> Any:
        return await self._passed(self._stub.Adjust(request, timeout=timeout))

    async def _passed(self, call: Awaitable[Any]) -> Any:
        answer = await call
        await self._mortal("after an effect")
        return answer


class Staged(Scripted):
    """A provider that says what is so at the stage that each user has reached: a subject is a user."""

    def __init__(self, connections: Pool, mortal: Mortal) -> None:
        super().__init__()
        self._connections = connections
        self._mortal = mortal

    async def facts(self, delivery: Delivery) -> Facts:
        (user,) = delivery.subjects
        async with connection(self._connections) as database:
            stage = await database.fetchval("SELECT stage FROM public.stages WHERE user_id = $1", user)
        await self._mortal("after the reading")
        return lifecycle.facts(user, stage)


async def serve(dsn: str, certificates: Path, quota: str, ready: Path, mortal: Mortal) -> None:
    """Serves WebhookService, and does all that follows."""
    settings = ProcessSettings(certificates=certificates / "billing", redis_url="unix:///nowhere")
    async with (
        pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        grpc.aio.insecure_channel(quota) as channel,
        asyncio.TaskGroup() as tasks,
    ):
        stub: Any = MortalQuota(QuotaServiceStub(channel), mortal)
        applying = Applying(Effects(connections), stub, clock)
        keeping = Keeping(MortalBooks(connections, mortal), CATALOGUE, Announcing(uuid4), clock, applying.nudge)
        deliveries = MortalDeliveries(connections, mortal)
        inbounds: Mapping[Provider, Scripted] = {Provider.STRIPE: Staged(connections, mortal)}
        processing = Processing(inbounds, deliveries, keeping, clock, lease=LEASE)
        intake = Intake(inbounds, deliveries, clock, uuid4, processing.nudge)
        servicer = WebhookServicer(intake, deliveries, clock, processing.nudge)
        for work in (intake.run, processing.run, applying.run):
            tasks.create_task(work())
        register = partial(webhook_pb2_grpc.add_WebhookServiceServicer_to_server, servicer)
        async with serving(settings, register, [SERVICE]) as server:
            written = ready.with_suffix(".new")
            written.write_text(server.address)
            written.rename(ready)
            await asyncio.Event().wait()


if __name__ == "__main__":
    logs.configure("billing", "WARNING")
    dsn, certificates, quota, ready, point, count = sys.argv[1:]
    asyncio.run(serve(dsn, Path(certificates), quota, Path(ready), Mortal(point, int(count))))
