"""Builds of new index versions, one at a time among all replicas.

Every replica looks whether a build is wanted; the one that takes it holds a lease, and another one begins anew when the
lease was not renewed. Builds are asked for by wishes: those that come while a build is under way are for the next one.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from runtime.errors import MeshError
from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.version import Failed, Order, Outcome, State, Version
from services.search_svc.store import Versions
from services.search_svc.versions.files import Files

log = structlog.get_logger()

POLL_SECONDS = 1.0
LEASE_SECONDS = 15.0
RENEWALS_A_LEASE = 3
RETRY_SECONDS = 1.0
STOP_SECONDS = 2.0

STOPPED = Failed("The process that built it was stopped; it is built anew.", again=True)

DEFECT = Failed("The build broke off because of a defect: the log says which.")

Build = Callable[[Order, Sequence[Asked]], Awaitable[Outcome]]


class Building:
    """`queries` gives the recent queries, `owner` names this process, `activated` is called when a version came into
    service, `clock` gives the present in UTC."""

    def __init__(
        self,
        versions: Versions,
        files: Files,
        build: Build,
        queries: Callable[[], Awaitable[Sequence[Asked]]],
        activated: Callable[[], None],
        owner: UUID,
        clock: Callable[[], datetime],
    ) -> None:
        self._versions = versions
        self._files = files
        self._build = build
        self._queries = queries
        self._activated = activated
        self._owner = owner
        self._clock = clock
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Says that a build may be wanted, so that nobody waits for the next look. Call it after the commit."""
        self._nudged.set()

    async def run(self) -> None:
        """Builds what is wanted, until it is cancelled."""
        while True:
            self._nudged.clear()
            worked = False
            try:
                worked = await self.turn()
            except MeshError as error:
                log.warning("builds wait", reason=error.reason)
            except Exception:
                log.exception("defect in a build")
            if not worked:
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await self._nudged.wait()

    async def turn(self) -> bool:
        """Builds a version if one is wanted; whether it was."""
        begun = self._clock()
        order = await self._versions.begin(self._owner, begun, timedelta(seconds=LEASE_SECONDS))
        if order is None:
            return False
        log.info("index build begins", version=order.number, baseline=order.baseline)
        try:
            async with self._lease(order.number):
                outcome = await self._attempt(order)
                finished = await self._finish(order.number, outcome, self._clock() - begun)
        except TimeoutError:
            finished = None
        except asyncio.CancelledError:
            await self._hand_back(order.number)
            raise
        self._told(order.number, finished)
        await self.tidy()
        return True

    async def _attempt(self, order: Order) -> Outcome:
        try:
            return await self._build(order, await self._queries())
        except Exception:
            log.exception("defect in a build", version=order.number)
            return DEFECT

    async def tidy(self) -> None:
        """Removes the files that no version needs any more."""
        found = await asyncio.to_thread(self._files.numbers)
        unwanted = set(await self._versions.unwanted(sorted(found)))
        if unwanted and (removed := await asyncio.to_thread(self._files.remove, unwanted)):
            log.info("index files removed", files=removed)

    @asynccontextmanager
    async def _lease(self, number: int) -> AsyncIterator[None]:
        """Keeps the build this process's own while the block runs; TimeoutError when it is not any more."""
        async with asyncio.timeout(LEASE_SECONDS) as until:
            renewing = asyncio.create_task(self._renew(number, until))
            try:
                yield
            finally:
                renewing.cancel()
                await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, number: int, until: asyncio.Timeout) -> None:
        loop, lease = asyncio.get_running_loop(), timedelta(seconds=LEASE_SECONDS)
        while True:
            await asyncio.sleep(LEASE_SECONDS / RENEWALS_A_LEASE)
            asked = loop.time()
            try:
                ours = await self._versions.renew(number, self._owner, self._clock() + lease)
            except MeshError as error:
                log.warning("index build: lease not renewed", version=number, reason=error.reason)
            except Exception:
                log.exception("defect in renewing the lease of a build", version=number)
            else:
                until.reschedule(asked + LEASE_SECONDS if ours else asked)

    async def _finish(self, number: int, outcome: Outcome, build_time: timedelta) -> Version | None:
        """Writes the outcome down, as soon as the database takes it."""
        while True:
            try:
                return await self._versions.finish(number, self._owner, outcome, build_time, self._clock())
            except MeshError as error:
                log.warning("index build: outcome not kept yet", version=number, reason=error.reason)
                await asyncio.sleep(RETRY_SECONDS)

    async def _hand_back(self, number: int) -> None:
        """Another process need not wait until the lease is over."""
        with suppress(TimeoutError, MeshError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._versions.finish(number, self._owner, STOPPED, timedelta(), self._clock())

    def _told(self, number: int, finished: Version | None) -> None:
        if finished is None:
            log.error("index build lost: its lease was over", version=number)
        elif finished.state is State.READY:
            log.info("index version in service", version=number, entries=finished.counts.entries)
            self._activated()
        else:
            log.error("index version not in service", version=number, state=finished.state, error=finished.error)
