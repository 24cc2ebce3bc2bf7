"""A replica that builds and serves index versions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from runtime import redis as runtime_redis
from runtime.postgres import Pool
from tests.service.search_svc.versions.workshop import Clock, Replica, Site
from tests.service.search_svc.versions.workshop import replica as wired


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with runtime_redis.connect(redis_url) as redis:
        await redis.flushall()
        yield redis


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def site(directory: Path) -> Site:
    return Site(directory)


@pytest.fixture
def replica(connections: Pool, redis: Redis, directory: Path, clock: Clock, site: Site) -> Replica:
    return wired(connections, redis, directory, clock, site)


@pytest.fixture
def other(connections: Pool, redis: Redis, directory: Path, clock: Clock, site: Site) -> Replica:
    """Another replica of the same service."""
    return wired(connections, redis, directory, clock, site)
