"""The last queries of real users, of all replicas: what a new index is tried on before it serves."""

import asyncio
import json
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.search_svc.domain.comparing import QUERIES_MAX, Asked
from services.search_svc.domain.entries import Kind
from services.search_svc.versions import wire

log = structlog.get_logger()

KEY = "search:recent"
FLUSH_SECONDS = 2.0


class Recent:
    """Keeps queries, newest first: those of this replica itself, and those of all in Redis."""

    def __init__(self, redis: Redis, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._redis = redis
        self._flush_seconds = flush_seconds
        self._own: deque[tuple[str, frozenset[Kind]]] = deque(maxlen=QUERIES_MAX)
        self._untold = 0
        self._away = False

    def record(self, query: str, kinds: frozenset[Kind]) -> None:
        """Notes a query; costs less than a microsecond."""
        self._own.appendleft((query, kinds))
        self._untold += 1

    async def run(self) -> None:
        """Tells Redis every few seconds, until it is cancelled."""
        while True:
            await asyncio.sleep(self._flush_seconds)
            try:
                await self.flush()
            except Exception:
                # Out of here it would end the process, for the sake of what others have asked for.
                log.exception("defect in sharing recent queries")

    async def flush(self) -> None:
        """Tells Redis what it was not told; while it is away, this replica's own are kept."""
        count, self._untold = min(self._untold, QUERIES_MAX), 0
        if not count:
            return
        untold = [json.dumps(wire.query(Asked(*one))) for one in islice(self._own, count)]
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.lpush(KEY, *reversed(untold))
                pipeline.ltrim(KEY, 0, QUERIES_MAX - 1)
                await pipeline.execute()
        except (RedisError, OSError) as error:
            self._untold += count
            self._tell_away(error)
        else:
            self._away = False

    async def latest(self) -> list[Asked]:
        """The newest queries of all replicas, or of this one alone while Redis is away."""
        await self.flush()
        try:
            lines = await self._redis.lrange(KEY, 0, QUERIES_MAX - 1)
        except (RedisError, OSError) as error:
            self._tell_away(error)
            return [Asked(*one) for one in self._own]
        return list(_readable(lines))

    def _tell_away(self, error: Exception) -> None:
        if not self._away:
            log.warning("recent queries are not shared", error=type(error).__name__)
        self._away = True


def _readable(lines: Iterable[bytes | str]) -> Iterator[Asked]:
    """What was noted in another version's words is passed over."""
    for line in lines:
        with suppress(ValueError, LookupError, TypeError):
            yield wire.asked(json.loads(line))
