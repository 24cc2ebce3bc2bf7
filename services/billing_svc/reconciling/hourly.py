"""The reconciliation that runs by itself, in one replica of all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import structlog

from runtime.errors import MeshError
from services.billing_svc.domain.drift import Scope
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.store.audit import Audit

log = structlog.get_logger()

WORK = "reconciling hourly"

EVERY_SECONDS = 3600.0
# The first one begins after so long, and a replica that takes over from another begins anew.
FIRST_SECONDS = 60.0
# How often the replica whose task it is looks whether it still is, and the others whether it has become theirs.
TURN_SECONDS = 30.0
# A run that takes longer is broken off; the next one begins from the start.
RUN_SECONDS_MAX = 3000.0


class Hourly:
    """Whichever replica comes first has the task until it ends; then another one takes it over."""

    def __init__(
        self,
        reconciling: Reconciling,
        audit: Audit,
        *,
        every_seconds: float = EVERY_SECONDS,
        first_seconds: float = FIRST_SECONDS,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._reconciling = reconciling
        self._audit = audit
        self._every_seconds = every_seconds
        self._first_seconds = first_seconds
        self._turn_seconds = turn_seconds

    async def run(self) -> None:
        """Reconciles every hour until it is cancelled."""
        while True:
            try:
                async with self._audit.alone(WORK) as still:
                    if still is not None:
                        await self._every_hour(still)
            except MeshError as error:
                log.warning("no hourly reconciliation", reason=error.reason)
            except Exception:
                log.exception("defect in the hourly reconciliation")
            await asyncio.sleep(self._turn_seconds)

    async def _every_hour(self, still: Callable[[], Awaitable[None]]) -> None:
        """Until the database is lost, and with it the task."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._first_seconds
        while True:
            await asyncio.sleep(max(0.0, min(self._turn_seconds, due - loop.time())))
            await still()
            if loop.time() >= due:
                due = loop.time() + self._every_seconds
                await self.reconcile()

    async def reconcile(self) -> None:
        """One reconciliation; what it finds is in the log and the metrics."""
        try:
            async with asyncio.timeout(RUN_SECONDS_MAX), aclosing(self._reconciling.events(Scope())) as events:
                async for _ in events:
                    pass
        except MeshError as error:
            log.warning("not reconciled", reason=error.reason)
        except TimeoutError:
            log.warning("not reconciled", reason="TOO_LONG")
        except Exception:
            log.exception("defect in reconciling")
