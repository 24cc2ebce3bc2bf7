"""How often a person may ask for what, where the edge cannot count: it sees one call in a stream of many requests.

The limits are the contract's. What is counted is what was asked for in any stream of the person's, through any replica.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.contract import Contract, RateLimit
from runtime.errors import ResourceExhausted

log = structlog.get_logger()

SERVICE = "scenemesh.chat.v1.ChatService"
# What the requests of a stream stand for.
SEND, STOP = (f"/{SERVICE}/{name}Message" for name in ("Send", "Stop"))

FAULTS = (RedisError, OSError, TimeoutError)


def limits() -> Mapping[str, RateLimit]:
    """The contract's limits, by the path of the RPC."""
    limited = {method.path: method.policy.rate_limit for method in Contract.of([SERVICE])}
    return {path: limit for path, limit in limited.items() if limit is not None}


class Rates:
    """Counts in Redis."""

    def __init__(self, redis: Redis, limits: Mapping[str, RateLimit]) -> None:
        self._redis = redis
        self._limits = limits

    async def count(self, user: str, rpc: str) -> None:
        """Counts one request. ResourceExhausted where it is one too many, with the seconds to wait.

        As at the edge, what may be asked for comes back all at once when its time is over. While Redis is away nothing
        is counted: credit limits what a person may do then.
        """
        limit = self._limits.get(rpc)
        if limit is None:
            return
        try:
            asked, left_ms = await self._counted(f"chat:rate:{rpc.rpartition('/')[2]}:{user}", limit)
        except FAULTS as error:
            log.warning("requests are not counted", error=str(error))
            return
        if asked > limit.requests:
            raise _too_many(limit, ceil(left_ms / 1000))

    async def _counted(self, key: str, limit: RateLimit) -> tuple[int, int]:
        """How many there are, and for how many milliseconds more they count."""
        async with self._redis.pipeline(transaction=True) as commands:
            commands.set(key, 0, nx=True, px=limit.per)
            commands.incr(key)
            commands.pttl(key)
            _, asked, left_ms = await commands.execute()
        return int(asked), int(left_ms)


def _too_many(limit: RateLimit, wait_seconds: int) -> ResourceExhausted:
    per_seconds = round(limit.per.total_seconds())
    return ResourceExhausted(
        f"No more than {limit.requests} of these within {per_seconds} s. Try again in {wait_seconds} s.",
        reason="RATE_LIMITED",
        metadata={"limit": str(limit.requests), "retry_after_seconds": str(wait_seconds)},
    )
