"""What a provider sends is proved, kept, and only then acknowledged.

Group commit: what arrives while a transaction is in flight shares the next one, so that a burst costs few of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from runtime.errors import FailedPrecondition, Internal, MeshError, Unavailable
from runtime.events.handling import described
from services.billing_svc.domain.plan import Provider
from services.billing_svc.payments.provider import Inbound
from services.billing_svc.store.deliveries import Deliveries, Received
from services.billing_svc.webhooks.soundness import check
from services.billing_svc.webhooks.telling import Telling

log = structlog.get_logger()

# A request that finds so many waiting is sent away; its provider sends it again.
QUEUE_MAX = 8192
GROUP_MAX = 256
# Where several came together, others are on their way: a transaction waits so long for company.
GATHER_SECONDS = 0.002


class Intake:
    """`clock` gives the present in UTC, `new_id` a delivery's id; `kept` is told whose deliveries are in the inbox.

    A provider that is not among `inbounds` is not configured.
    """

    def __init__(
        self,
        inbounds: Mapping[Provider, Inbound],
        deliveries: Deliveries,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        kept: Callable[[Provider], None],
    ) -> None:
        self._inbounds = inbounds
        self._deliveries = deliveries
        self._clock = clock
        self._new_id = new_id
        self._kept = kept
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._telling = Telling()

    async def receive(self, provider: Provider, headers: Mapping[str, str], body: bytes) -> None:
        """Comes back when the delivery is kept, now or before."""
        try:
            received = self._received(provider, headers, body)
            if len(self._waiting) >= QUEUE_MAX:
                raise Unavailable("Too many deliveries wait to be kept.", reason="DATABASE_UNAVAILABLE")
            waiting = _Waiting(received, asyncio.get_running_loop().create_future())
            self._waiting.append(waiting)
            self._arrived.set()
            await waiting.kept
        except MeshError as error:
            self._telling.received(provider, error.reason)
            raise
        self._telling.received(provider, "kept")

    def _received(self, provider: Provider, headers: Mapping[str, str], body: bytes) -> Received:
        inbound = self._inbounds.get(provider)
        if inbound is None:
            raise FailedPrecondition("Nothing is configured for this provider.", reason="PROVIDER_NOT_CONFIGURED")
        now = self._clock()
        delivery = inbound.verified(headers, body, now)
        check(delivery)
        return Received(self._new_id(), provider, delivery, now)

    async def run(self) -> None:
        """Keeps what arrives until it is cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while group := self._next():
                await self._keep(group)
                if len(group) > 1:
                    await asyncio.sleep(GATHER_SECONDS)

    def _next(self) -> list[_Waiting]:
        """The next that share a transaction; whoever has gone meanwhile is left out."""
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_MAX))]
        return [one for one in taken if not one.kept.done()]

    async def _keep(self, group: list[_Waiting]) -> None:
        """One transaction, and the news for those whom it carried."""
        try:
            await self._deliveries.keep(one.received for one in group)
        except MeshError as error:
            for one in group:
                one.fail(error)
        except Exception as error:
            await self._isolate(group, error)
        else:
            for one in group:
                one.tell()
            for provider in {one.received.provider for one in group}:
                self._tell(provider)

    def _tell(self, provider: Provider) -> None:
        try:
            self._kept(provider)
        except Exception as error:
            # Out of here it would end the process, and whoever waits behind would get no answer.
            log.error("defect in telling of kept deliveries", provider=provider.value, error=described(error))

    async def _isolate(self, group: list[_Waiting], error: Exception) -> None:
        """What is wrong with one delivery keeps no other one out."""
        if len(group) == 1:
            # The database's own words may hold what was sent.
            group[0].fail(Internal(described(error), reason="INTERNAL"))
            return
        for one in group:
            await self._keep([one])


@dataclass(slots=True, eq=False)
class _Waiting:
    """A delivery, and whoever waits until it is kept."""

    received: Received
    kept: asyncio.Future[None]

    def tell(self) -> None:
        if not self.kept.done():
            self.kept.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.kept.done():
            self.kept.set_exception(error)
