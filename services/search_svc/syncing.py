"""Works at syncs in the background.

Every replica looks for a sync that waits, or whose process is not heard of any more, and goes on where it was. A sync
has one owner, who renews its lease while it works; whoever lost it cannot write any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import cast
from uuid import UUID

import structlog

from runtime.errors import MeshError
from services.search_svc.domain.sync import State, Sync
from services.search_svc.sources.source import Batch, Source, SourceError
from services.search_svc.store import Fenced, Work

log = structlog.get_logger()

DEFECT = "The service met a defect of its own, which its log tells; ResumeSync goes on from where the sync was."
UNSAID = "The source gave up without saying why; ResumeSync goes on from where the sync was."


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look for work, how often to look after it, and how many syncs are too many at once."""

    poll_seconds: float = 1.0
    beat_seconds: float = 1.0
    # Of different sources, in one process.
    syncs_max: int = 4


class CancelRequested(Exception):
    """Somebody has asked the sync to end."""


class Syncing:
    """`source` gives the source of a sync, `changed` is told after a commit that calls for an index or has an event."""

    def __init__(
        self,
        work: Work,
        source: Callable[[Sync], Source],
        owner: UUID,
        changed: Callable[[], None],
        pace: Pace | None = None,
    ) -> None:
        self._work = work
        self._source = source
        self._owner = owner
        self._changed = changed
        self._pace = pace or Pace()
        self._nudged = asyncio.Event()
        self._working: set[UUID] = set()

    def nudge(self) -> None:
        """Says that a sync waits, so that nobody waits for the next poll. Call it after the commit."""
        self._nudged.set()

    async def run(self) -> None:
        """Works at syncs until it is cancelled, and leaves them to other processes then."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._nudged.clear()
                sync = await self._taken()
                if sync is not None:
                    self._working.add(sync.id)
                    tasks.create_task(self._at(sync))
                    continue
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pace.poll_seconds):
                        await self._nudged.wait()

    async def _taken(self) -> Sync | None:
        """A sync to work at, if there is one and room for it."""
        if len(self._working) >= self._pace.syncs_max:
            return None
        try:
            return await self._work.take(self._owner, self._working)
        except MeshError as error:
            log.warning("syncs cannot be looked for", reason=error.reason)
        except Exception:
            log.exception("defect in looking for syncs")
        return None

    async def _at(self, sync: Sync) -> None:
        """Works at a sync until it is over, or is left to another process. No error of it ends the others."""
        told = log.bind(sync=str(sync.id), source=sync.source)
        told.info("sync begins", mode=sync.mode.value, resumed=bool(sync.cursor))
        try:
            over = await self._over(sync)
        except Fenced:
            told.warning("sync left to another process")
        except MeshError as error:
            # The next poll takes it up again, here or elsewhere.
            told.warning("sync interrupted", reason=error.reason)
        except asyncio.CancelledError:
            await self._give_back(sync)
            raise
        except Exception:
            told.exception("defect in a sync")
        else:
            told.info("sync over", state=over.state.value, error=over.error, titles=over.titles_kept)
            self._tell()
            self.nudge()
        finally:
            self._working.discard(sync.id)

    def _tell(self) -> None:
        try:
            self._changed()
        except Exception:
            # Out of here it would end the process.
            log.exception("defect in telling of a sync")

    async def _over(self, sync: Sync) -> Sync:
        """The sync at its end, whichever it is."""
        try:
            return await self._watched(sync)
        except CancelRequested:
            return await self._work.end(sync.id, self._owner, State.CANCELLED)
        except SourceError as error:
            return await self._work.end(sync.id, self._owner, State.FAILED, str(error) or UNSAID)
        except (MeshError, Fenced):
            raise
        except Exception:
            log.exception("defect in a sync", sync=str(sync.id), source=sync.source)
            return await self._work.end(sync.id, self._owner, State.FAILED, DEFECT)

    async def _watched(self, sync: Sync) -> Sync:
        """Brings everything, while the lease is renewed and somebody may ask for an end, however slow the source is."""
        bringing = asyncio.create_task(self._brought(sync))
        try:
            while not bringing.done():
                await self._beat(sync)
                await asyncio.wait({bringing}, timeout=self._pace.beat_seconds)
            return await bringing
        except Fenced:
            # Nobody owns what is over: it may have come to its own end just before the beat.
            await asyncio.wait({bringing}, timeout=self._pace.beat_seconds)
            if not bringing.done():
                raise
            return await bringing
        finally:
            bringing.cancel()
            await asyncio.gather(bringing, return_exceptions=True)

    async def _brought(self, sync: Sync) -> Sync:
        source = self._source(sync)
        since = await self._work.since(sync)
        batches = source.batches(sync.mode, sync.cursor, sync.titles_max, since)
        # Sources are generators: what they hold is let go as soon as nobody asks for more.
        async with aclosing(cast("AsyncGenerator[Batch, None]", batches)):
            async for batch in batches:
                kept = await self._work.keep(sync.id, self._owner, source, batch)
                if kept.cancel_requested:
                    raise CancelRequested
        return await self._work.succeed(sync.id, self._owner, source)

    async def _beat(self, sync: Sync) -> None:
        try:
            requested = await self._work.renew(sync.id, self._owner)
        except MeshError as error:
            # A write that takes long holds the row. If the database is away, the work itself will meet it.
            log.warning("lease not renewed", sync=str(sync.id), reason=error.reason)
            return
        if requested:
            raise CancelRequested

    async def _give_back(self, sync: Sync) -> None:
        try:
            await self._work.give_back(sync.id, self._owner)
        except MeshError as error:
            log.warning("sync not given back", sync=str(sync.id), reason=error.reason)
