"""Redis, with every limit said: no hidden retries, because a retried command may have run already."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TIMEOUT_SECONDS = 2.0
CONNECTIONS_MAX = 64


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Redis]:
    """A pooled client. Values are bytes. Blocking commands must wait for less than TIMEOUT_SECONDS."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        async with Redis(connection_pool=pool) as redis:
            yield redis
    finally:
        await pool.aclose()


def ending() -> bool:
    """Whether this task was cancelled: before Python 3.12, the Redis client can swallow that as it sends a command."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
