"""What nobody foresaw in telling of kept deliveries ends no process, and no provider waits in vain."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.store.deliveries import Received
from services.billing_svc.webhooks.intake import Intake

WAIT_SECONDS = 60.0
NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Door:
    """Lets everybody in: a body is the id of its event."""

    def verified(self, _: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
        return Delivery(body.decode(), "invoice.paid", now, body, ("ann",))


class Inbox:
    """Takes one delivery at a time."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def keep(self, received: Iterable[Received]) -> None:
        ids = [one.delivery.event_id for one in received]
        if len(ids) > 1:
            raise RuntimeError("nobody foresaw this")
        self.kept.extend(ids)


async def test_a_defect_in_telling_of_kept_deliveries_keeps_nobody_waiting() -> None:
    told: list[Provider] = []

    def tell(provider: Provider) -> None:
        told.append(provider)
        raise RuntimeError("nobody foresaw this")

    inbound: Any = Door()
    inbox: Any = Inbox()
    intake = Intake({Provider.STRIPE: inbound}, inbox, lambda: NOW, uuid4, tell)
    async with asyncio.timeout(WAIT_SECONDS), asyncio.TaskGroup() as tasks:
        together = [tasks.create_task(intake.receive(Provider.STRIPE, {}, body)) for body in (b"one", b"two", b"three")]
        running = tasks.create_task(intake.run())
        await asyncio.gather(*together)
        await intake.receive(Provider.STRIPE, {}, b"four")
        running.cancel()
    assert inbox.kept == ["one", "two", "three", "four"]
    assert told == [Provider.STRIPE] * 4
