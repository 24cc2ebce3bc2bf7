"""An engine that is away: told once, however long it lasts, and asked again ever more seldom."""

import asyncio

import asyncpg
import structlog
from redis.exceptions import RedisError

from runtime.errors import Unavailable

log = structlog.get_logger()

# What a database connection that was cut under a statement looks like; which of them is a matter of luck.
CUT = (asyncpg.PostgresConnectionError, asyncpg.InternalClientError)

# What Redis and Postgres being away, or refusing for a while, looks like.
FAULTS = (RedisError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, Unavailable)

PAUSE_SECONDS_MIN = 0.05
PAUSE_SECONDS_MAX = 2.0


class Outage:
    """`work` is what cannot go on meanwhile, in words for the log."""

    def __init__(self, work: str) -> None:
        self._work = work
        self._pause_seconds = 0.0

    async def wait(self, error: Exception) -> None:
        """Tells the first fault of an outage, and waits before the next try."""
        if not self._pause_seconds:
            log.error("events: outage", work=self._work, error=type(error).__name__)
        self._pause_seconds = min(max(2 * self._pause_seconds, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX)
        await asyncio.sleep(self._pause_seconds)

    def over(self) -> None:
        """The work has gone on."""
        if self._pause_seconds:
            log.info("events: outage over", work=self._work)
        self._pause_seconds = 0.0
