"""A serving process's lease in the registry of live endpoints.

The lease is a Redis key that expires by itself, so a process that dies disappears without anyone's help. The control
plane reads the keys; Redis being away for a while leaves its last picture standing.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

PREFIX = "mesh:endpoint:"
LEASE_MS = 4000
RENEWAL_SECONDS = 1.0


def key(cluster: str, instance: str) -> str:
    """The key of one instance's lease."""
    return f"{PREFIX}{cluster}:{instance}"


@asynccontextmanager
async def lease(redis: Redis, cluster: str, address: str) -> AsyncIterator[None]:
    """Keeps `address` registered as a live endpoint of `cluster` while the block runs."""
    name = key(cluster, str(uuid.uuid4()))
    value = json.dumps({"address": address})
    await redis.set(name, value, px=LEASE_MS)
    renewal = asyncio.create_task(_renew(redis, name, value))
    try:
        yield
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        with suppress(RedisError):
            await redis.delete(name)


async def _renew(redis: Redis, name: str, value: str) -> None:
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        try:
            await redis.set(name, value, px=LEASE_MS)
        except RedisError as error:
            log.warning("lease not renewed", error=str(error))
        except Exception:
            # Out of here it would take a process that serves out of the registry.
            log.exception("defect in renewing the lease")
