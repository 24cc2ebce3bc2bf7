"""What time alone does to subscriptions: a paid period ends, a grace is over. Runs in every replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from runtime.errors import MeshError, Unavailable
from runtime.events.handling import described
from services.billing_svc.keeping import Keeping
from services.billing_svc.store import Books

log = structlog.get_logger()

SWEEP_SECONDS = 1.0
USERS_MAX = 200
# Whom nobody can look at just now is looked at later, and holds up nobody else.
LATER = timedelta(minutes=1)


class Sweeping:
    """`clock` gives the present in UTC."""

    def __init__(self, books: Books, keeping: Keeping, clock: Callable[[], datetime]) -> None:
        self._books = books
        self._keeping = keeping
        self._clock = clock

    async def run(self) -> None:
        """Sweeps until it is cancelled."""
        while True:
            try:
                swept = await self.sweep()
            except MeshError as error:
                log.warning("subscriptions not swept", reason=error.reason)
                swept = 0
            except Exception:
                log.exception("defect in a sweep")
                swept = 0
            await asyncio.sleep(0 if swept == USERS_MAX else SWEEP_SECONDS)

    async def sweep(self) -> int:
        """Looks at some users for whom it is time; how many they were."""
        users = await self._books.due(self._clock(), USERS_MAX)
        for user in users:
            try:
                await self._keeping.look(user)
            except Unavailable:
                raise
            except Exception as error:
                log.error("subscription not swept", error=described(error))
                await self._books.look_later(user, self._clock() + LATER)
        return len(users)
