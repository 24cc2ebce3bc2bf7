"""A schema with both tables of events, a Redis without events, and events to tell."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from redis.asyncio import Redis

from runtime import redis as runtime_redis
from runtime.events.schema import INBOX, OUTBOX
from tests.service.events.shop import EFFECTS, SCHEMA, Shop


@pytest.fixture
async def pool(database: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    settings = {"search_path": SCHEMA, "application_name": SCHEMA}
    async with asyncpg.create_pool(database, min_size=1, max_size=8, server_settings=settings) as pool:
        await pool.execute(f"CREATE SCHEMA {SCHEMA}")
        for statement in (*OUTBOX, *INBOX, EFFECTS):
            await pool.execute(statement)
        yield pool


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    async with runtime_redis.connect(redis_url) as redis:
        await redis.flushall()
        yield redis


@pytest.fixture
def shop(pool: "asyncpg.Pool[asyncpg.Record]") -> Shop:
    return Shop(pool)
