"""Works on what providers sent, as often as it takes.

A delivery is claimed for a while. Its provider says what is so now of all that it concerns, and that is kept; only then
is it done. Whoever dies in between leaves a claim that ends, and whatever is kept twice is kept once: see keeping.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from runtime.errors import MeshError, Unavailable
from runtime.events.handling import described
from services.billing_svc.domain.delivery import ATTEMPTS_MAX, DeliveryState, away_pause, pause
from services.billing_svc.domain.facts import NotOurs
from services.billing_svc.domain.plan import Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.payments.provider import Inbound
from services.billing_svc.store.deliveries import Claimed, Deliveries
from services.billing_svc.webhooks.telling import Telling

log = structlog.get_logger()

POLL_SECONDS = 1.0
# Of one provider, at once. One that does not answer holds up nobody else's.
WORKED_AT_ONCE = 8
# Of all providers, at once: each takes one of the pool's connections.
KEPT_AT_ONCE = 4

LEASE = timedelta(seconds=60)
# How long to wait for a database that is away when something is to be noted in it.
NOTE_PAUSE_SECONDS = 0.5
DETAIL_CHARACTERS_MAX = 500


class Processing:
    """`clock` gives the present in UTC. Work that takes longer than three quarters of the `lease` has failed."""

    def __init__(
        self,
        inbounds: Mapping[Provider, Inbound],
        deliveries: Deliveries,
        keeping: Keeping,
        clock: Callable[[], datetime],
        *,
        lease: timedelta = LEASE,
    ) -> None:
        work = _Work(deliveries, keeping, clock, lease * 0.75)
        self._lines = {
            provider: _Line(inbound, deliveries, work, clock, lease) for provider, inbound in inbounds.items()
        }

    def nudge(self, provider: Provider) -> None:
        """Says that there is something of the provider's, so that nobody waits for the next look."""
        if provider in self._lines:
            self._lines[provider].nudge()

    async def run(self) -> None:
        """Works until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines.values():
                tasks.create_task(line.run())


class _Line:
    """One provider's deliveries."""

    def __init__(
        self, inbound: Inbound, deliveries: Deliveries, work: _Work, clock: Callable[[], datetime], lease: timedelta
    ) -> None:
        self._inbound = inbound
        self._deliveries = deliveries
        self._work = work
        self._clock = clock
        self._lease = lease
        self._nudged = asyncio.Event()
        self._at_work = 0

    def nudge(self) -> None:
        self._nudged.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._nudged.clear()
                room = WORKED_AT_ONCE - self._at_work
                claimed = await self._claimed(room) if room else []
                self._at_work += len(claimed)
                for one in claimed:
                    tasks.create_task(self._done(one))
                # With room left there is no more to do; without, somebody comes back and nudges.
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._nudged.wait()

    async def _claimed(self, room: int) -> list[Claimed]:
        try:
            return await self._deliveries.claim(self._inbound.provider, self._clock(), self._lease, room)
        except MeshError as error:
            log.warning("deliveries wait", provider=self._inbound.provider.value, reason=error.reason)
        except Exception as error:
            log.error("defect in claiming deliveries", error=described(error))
        return []

    async def _done(self, one: Claimed) -> None:
        try:
            await self._work.do(self._inbound, one)
        except Exception as error:
            # The claim ends by itself, and it is tried again.
            log.error("defect in working on deliveries", delivery=str(one.id), error=described(error))
        finally:
            self._at_work -= 1
            self.nudge()


class _Work:
    """What is done with one delivery, and what becomes of it."""

    def __init__(
        self, deliveries: Deliveries, keeping: Keeping, clock: Callable[[], datetime], longest: timedelta
    ) -> None:
        self._deliveries = deliveries
        self._keeping = keeping
        self._clock = clock
        self._longest = longest
        self._turns = asyncio.Semaphore(KEPT_AT_ONCE)
        self._telling = Telling()

    async def do(self, inbound: Inbound, one: Claimed) -> None:
        """Works on a delivery and notes how that ended."""
        if one.attempts > ATTEMPTS_MAX:
            await self._end(one, DeliveryState.DEAD, "Whoever worked on it ended before it was done.")
            return
        try:
            async with asyncio.timeout(self._longest.total_seconds()):
                fence = await self._keeping.fence()
                facts = await inbound.facts(one.delivery)
                async with self._turns:
                    await self._keeping.keep(facts, fence)
        except NotOurs as reason:
            await self._end(one, DeliveryState.IGNORED, str(reason))
        except Unavailable as error:
            await self._away(one, described(error))
        except Exception as error:
            await self._failed(one, described(error))
        else:
            await self._end(one, DeliveryState.DONE, "")

    async def _away(self, one: Claimed, detail: str) -> None:
        """The attempt does not count: nothing is wrong with the delivery."""
        now = self._clock()
        due = now + away_pause(now - one.receive_time)
        log.warning("delivery waits", **_named(one), error=detail)
        await self._noted(one, lambda: self._deliveries.later(one, due, detail, one.attempts - 1))
        self._told(one, "away")

    async def _failed(self, one: Claimed, detail: str) -> None:
        wait = pause(one.attempts)
        if wait is None:
            log.error("delivery given up", **_named(one), attempts=one.attempts, error=detail)
            await self._end(one, DeliveryState.DEAD, detail)
            return
        due = self._clock() + wait
        log.warning("delivery failed", **_named(one), attempts=one.attempts, error=detail)
        await self._noted(one, lambda: self._deliveries.later(one, due, detail, one.attempts))
        self._told(one, "failed")

    async def _end(self, one: Claimed, state: DeliveryState, detail: str) -> None:
        now = self._clock()
        sentence = detail.replace("\0", "")[:DETAIL_CHARACTERS_MAX]
        await self._noted(one, lambda: self._deliveries.end(one, state, sentence, now))
        self._told(one, state.value)

    async def _noted(self, one: Claimed, note: Callable[[], Awaitable[None]]) -> None:
        """Waits for a database that is away as long as the delivery is ours; afterwards another works on it."""
        while True:
            try:
                await note()
            except Unavailable:
                if self._clock() >= one.lease:
                    raise
                await asyncio.sleep(NOTE_PAUSE_SECONDS)
            else:
                return

    def _told(self, one: Claimed, outcome: str) -> None:
        self._telling.worked(one.provider, outcome, self._clock() - one.receive_time)


def _named(one: Claimed) -> dict[str, str]:
    return {"delivery": str(one.id), "provider": one.provider.value, "type": one.delivery.event_type}
