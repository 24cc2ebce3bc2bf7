"""A group of consumers: every process of a service has one, and each event is handled once among them."""

import asyncio
from collections.abc import Mapping, Sequence

import asyncpg
import structlog
from redis.asyncio import Redis

from runtime.events.handling import Handler, Handling
from runtime.events.outage import FAULTS
from runtime.events.reading import Reading
from runtime.postgres import connection

log = structlog.get_logger()

# The waits between deliveries. An event that fails after the last, half a minute after the first, is a dead letter.
RETRY_SECONDS = (0.2, 1.0, 5.0, 25.0)

# An event that comes again after this would be handled again; none does, unless it is replayed from a dead letter,
# and that was not handled.
INBOX_DAYS = 14
CLEANUP_SECONDS = 3600.0

FORGET = "DELETE FROM inbox WHERE consumer_group = $1 AND receive_time < now() - make_interval(days => $2)"


class Consumer:
    """Handles the events of the topics in `handlers` for `group`, whose name is the service's.

    A key of `handlers` is an event's type (`quota.depleted`) or a topic (`quota`) for all others of it. The pool's
    connections see the schema with the inbox. While there is no news, each topic keeps one connection of `waiting` (by
    default, of `redis`) in a blocking read: give that a client of its own where there are more than a few.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        redis: Redis,
        group: str,
        handlers: Mapping[str, Handler],
        *,
        waiting: Redis | None = None,
        retry_seconds: Sequence[float] = RETRY_SECONDS,
    ) -> None:
        handling = Handling(group, handlers)
        self._pool = pool
        self._group = group
        self._readings = [
            Reading(pool, redis, waiting or redis, handling, topic, retry_seconds) for topic in sorted(handling.topics)
        ]

    async def run(self) -> None:
        """Handles events until cancelled, in order for one subject."""
        async with asyncio.TaskGroup() as tasks:
            for reading in self._readings:
                tasks.create_task(reading.run())
            tasks.create_task(self._cleaning())

    async def _cleaning(self) -> None:
        while True:
            try:
                await self.clean()
            except FAULTS as error:
                log.warning("events: inbox not cleaned", group=self._group, error=type(error).__name__)
            except Exception:
                # Out of here it would end the process.
                log.exception("defect in cleaning the inbox", group=self._group)
            await asyncio.sleep(CLEANUP_SECONDS)

    async def clean(self) -> None:
        """Forgets the events that were handled so long ago that they cannot come again."""
        async with connection(self._pool) as database:
            await database.execute(FORGET, self._group, INBOX_DAYS)
