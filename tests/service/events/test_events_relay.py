import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
from redis.asyncio import Redis

from runtime import redis as runtime_redis
from runtime.events.consumer import Consumer
from runtime.events.outage import FAULTS
from runtime.events.relay import BATCH_ROWS, Relay
from runtime.events.schema import append
from tests.harness import engines
from tests.service.events.shop import STREAM, WAIT_SECONDS, Shop, comes, event, published, remaining, running

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'shop'"

REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE TRIGGER refuse BEFORE DELETE ON outbox FOR EACH STATEMENT EXECUTE FUNCTION refuse()
"""


def told(redis: Redis) -> Callable[[], Any]:
    async def figures() -> list[int]:
        return [remaining(one) for one in await published(redis)]

    return figures


async def rows(shop: Shop) -> int:
    return int(await shop.pool.fetchval("SELECT count(*) FROM outbox"))


async def test_what_is_committed_is_published(shop: Shop, redis: Redis) -> None:
    one = event(1)
    await shop.tell(one)
    async with running(Relay(shop.pool, redis).run()):
        await comes(lambda: published(redis), [one])
        await comes(lambda: rows(shop), 0)


async def test_what_is_rolled_back_never_is(shop: Shop, redis: Redis) -> None:
    async with running(Relay(shop.pool, redis).run()):
        async with shop.pool.acquire() as connection:
            transaction = connection.transaction()
            await transaction.start()
            await append(connection, [event(1)])
            await transaction.rollback()
        await shop.tell(event(2))
        await comes(told(redis), [2])


async def test_a_nudge_saves_the_wait_for_the_next_poll(shop: Shop, redis: Redis) -> None:
    relay = Relay(shop.pool, redis, poll_seconds=3600)
    async with running(relay.run()):
        for number in range(5):
            await shop.tell(event(number))
            relay.nudge()
            await comes(told(redis), list(range(number + 1)))


async def test_without_a_nudge_it_is_found_by_polling(shop: Shop, redis: Redis) -> None:
    async with running(Relay(shop.pool, redis, poll_seconds=0.05).run()):
        for number in range(3):
            await shop.tell(event(number))
            await comes(told(redis), list(range(number + 1)))


async def test_redis_away_loses_nothing_and_keeps_the_order(shop: Shop, tmp_path: Path) -> None:
    async with runtime_redis.connect(f"unix://{tmp_path}/valkey.sock") as redis:
        relay = Relay(shop.pool, redis)
        async with running(relay.run()):
            for number in range(3):
                await shop.tell(event(number))
                relay.nudge()
            async with engines.valkey(tmp_path):
                await comes(told(redis), [0, 1, 2])
            await shop.tell(event(3), event(4))
            relay.nudge()
            await shop.tell(event(5))
            async with engines.valkey(tmp_path):
                await comes(told(redis), [3, 4, 5])  # this engine keeps nothing on disk
                await comes(lambda: rows(shop), 0)


async def test_a_database_connection_that_is_cut_is_replaced(shop: Shop, redis: Redis, database: str) -> None:
    async with running(Relay(shop.pool, redis, poll_seconds=0.02).run()):
        await shop.tell(event(1))
        await comes(told(redis), [1])
        await comes(lambda: rows(shop), 0)
        other = await asyncpg.connect(database)
        await other.execute(CUT)
        await other.close()
        await tell_again(shop, 2)
        await comes(told(redis), [1, 2])


async def tell_again(shop: Shop, number: int) -> None:
    """Commits an event; connections of the pool may have been cut."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                return await shop.tell(event(number))
            except FAULTS:
                continue


async def test_a_crash_before_the_delete_has_one_effect(shop: Shop, redis: Redis) -> None:
    await shop.pool.execute(REFUSE)
    await shop.tell(event(1), event(2))
    async with running(Relay(shop.pool, redis).run()):
        await comes(lambda: copies(redis), True)
    await shop.pool.execute("DROP TRIGGER refuse ON outbox")
    consumer = Consumer(shop.pool, redis, "shop", {"quota": shop.handle})
    async with running(Relay(shop.pool, redis).run(), consumer.run()):
        await comes(lambda: rows(shop), 0)
        await shop.tell(event(3))
        await comes(shop.effects, [1, 2, 3])


async def copies(redis: Redis) -> bool:
    return bool(await redis.xlen(STREAM) > 2)


async def test_two_relays_keep_the_order_and_publish_once(shop: Shop, redis: Redis) -> None:
    relays = [Relay(shop.pool, redis, poll_seconds=0.01) for _ in range(2)]
    expected = list(range(2 * BATCH_ROWS + 100))
    async with running(*(relay.run() for relay in relays)):
        for first in range(0, len(expected), 100):
            await shop.tell(*(event(number) for number in expected[first : first + 100]))
            relays[first // 100 % 2].nudge()
        await comes(told(redis), expected)


async def test_a_row_that_becomes_visible_late_is_published_all_the_same(shop: Shop, redis: Redis) -> None:
    async with running(Relay(shop.pool, redis, poll_seconds=0.01).run()):
        async with shop.pool.acquire() as connection, connection.transaction():
            await append(connection, [event(1, "users/alice")])
            await shop.tell(event(2, "users/bob"))
            await comes(told(redis), [2])
        await comes(told(redis), [2, 1])


async def test_a_stream_is_capped(shop: Shop, redis: Redis) -> None:
    await shop.tell(*(event(number) for number in range(1000)))
    async with running(Relay(shop.pool, redis, stream_entries_max=100).run()):
        await comes(lambda: rows(shop), 0)
    assert 100 <= await redis.xlen(STREAM) < 400
