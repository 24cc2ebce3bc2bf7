"""What takes webhooks in and works on them, as one process of billing_svc has it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from asyncpg import Record

from runtime.postgres import Pool
from services.billing_svc.domain.plan import Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.store.deliveries import Deliveries
from services.billing_svc.webhooks.intake import Intake
from services.billing_svc.webhooks.processing import Processing
from tests.service.billing_svc.webhooks.scripted import HEADERS, Scripted

WAIT_SECONDS_MAX = 90.0


@dataclass(frozen=True)
class Replica:
    """Its intake runs; `processing` is run by `working`."""

    connections: Pool
    intake: Intake
    processing: Processing

    async def receive(self, body: bytes, provider: Provider = Provider.STRIPE) -> None:
        """What a provider sends, signed as it should be."""
        await self.intake.receive(provider, HEADERS, body)

    async def row(self, event: str) -> Record:
        """What the inbox has of an event."""
        found = await self.connections.fetchrow("SELECT * FROM deliveries WHERE event_id = $1", event)
        assert found is not None
        return found

    async def stands(self, event: str) -> tuple[str, int, str]:
        """State, attempts and detail of an event."""
        row = await self.row(event)
        return row["state"], row["attempts"], row["detail"]

    async def ended(self, *events: str) -> None:
        """Waits until nobody has anything to do with these."""
        await until(lambda: self._ended(events))

    async def _ended(self, events: Iterable[str]) -> bool:
        pending = "SELECT count(*) FROM deliveries WHERE state = 'pending' AND event_id = ANY($1)"
        return not await self.connections.fetchval(pending, list(events))

    async def effects(self, user: str = "ann") -> list[tuple[str, str]]:
        """What quota_svc is to be told of a user: the plans that it is put on, and the credits that it is given."""
        rows = await self.connections.fetch(
            "SELECT kind, content FROM effects WHERE user_id = $1 ORDER BY number", user
        )
        contents = [(row["kind"], json.loads(row["content"])) for row in rows]
        return [(kind, str(content.get("plan") or content.get("credits"))) for kind, content in contents]

    async def told(self) -> int:
        """How many events the other services are told."""
        count: int = await self.connections.fetchval("SELECT count(*) FROM outbox")
        return count


@asynccontextmanager
async def replica(
    connections: Pool, keeping: Keeping, inbounds: Iterable[Scripted], clock: Callable[[], datetime]
) -> AsyncIterator[Replica]:
    """A replica that takes in; it works on nothing yet."""
    known = {inbound.provider: inbound for inbound in inbounds}
    deliveries = Deliveries(connections)
    processing = Processing(known, deliveries, keeping, clock)
    intake = Intake(known, deliveries, clock, uuid4, processing.nudge)
    async with running(intake.run()):
        yield Replica(connections, intake, processing)


@asynccontextmanager
async def running(work: Awaitable[None]) -> AsyncIterator[None]:
    """`work` is done while the block runs, and cancelled with it."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Waits for it; TimeoutError when it does not come."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await holds():
            await asyncio.sleep(0.01)
