import asyncio
from typing import Any

import pytest
from asyncpg.pool import PoolConnectionProxy
from redis.asyncio import Redis
from structlog.testing import capture_logs

from runtime import redis as runtime_redis
from runtime.events.consumer import Consumer
from runtime.events.dead import letters, replay
from runtime.events.reading import BATCH_ENTRIES, BLOCK_MS
from scenemesh.events.v1.envelope_pb2 import Envelope
from tests.service.events.shop import DEAD, STREAM, Shop, comes, event, pending, put, remaining, running

AT_ONCE = (0.01, 0.01, 0.01, 0.01)


def consumer(shop: Shop, redis: Redis, handler: Any = None, group: str = "shop", **options: Any) -> Consumer:
    return Consumer(shop.pool, redis, group, {"quota": handler or shop.handle}, **{"retry_seconds": AT_ONCE, **options})


class Fails:
    """A handler that fails after its effect, for the events that say `number`, the first `times`."""

    def __init__(self, shop: Shop, number: int, times: int) -> None:
        self._shop = shop
        self._number = number
        self.left = times
        self.tried = 0

    async def __call__(self, connection: PoolConnectionProxy, event: Envelope) -> None:
        await self._shop.handle(connection, event)
        if remaining(event) == self._number:
            self.tried += 1
            if self.left:
                self.left -= 1
                raise RuntimeError("a secret")


async def test_events_are_handled_in_order_and_acknowledged(shop: Shop, redis: Redis) -> None:
    expected = list(range(2 * BATCH_ENTRIES + 10))
    await put(redis, *(event(number) for number in expected[:50]))
    async with running(consumer(shop, redis).run()):
        await put(redis, *(event(number) for number in expected[50:]))
        await comes(shop.effects, expected)
        await comes(lambda: pending(redis, "shop"), 0)


async def test_an_event_that_comes_twice_is_handled_once_by_each_group(shop: Shop, redis: Redis) -> None:
    one = event(1)
    await put(redis, one, one, event(2), one)
    groups = (consumer(shop, redis, group="a"), consumer(shop, redis, group="b"))
    async with running(*(group.run() for group in groups)):
        await comes(lambda: sorted_effects(shop), [1, 1, 2, 2])
        await comes(lambda: pending(redis, "a"), 0)
        await comes(lambda: pending(redis, "b"), 0)
    assert await sorted_effects(shop) == [1, 1, 2, 2]


async def sorted_effects(shop: Shop) -> list[int]:
    return sorted(await shop.effects())


async def test_the_handler_of_a_type_goes_before_that_of_its_topic(shop: Shop, redis: Redis) -> None:
    special = Shop(shop.pool, "special")
    await put(redis, event(1), event(2, event_type="quota.low"), event(3))
    handlers = {"quota": shop.handle, "quota.low": special.handle}
    async with running(Consumer(shop.pool, redis, "shop", handlers).run()):
        await comes(shop.effects, [1, 2, 3])
    rows = await shop.pool.fetch("SELECT consumer FROM effects ORDER BY number")
    assert [row["consumer"] for row in rows] == ["shop", "special", "shop"]


async def test_a_type_without_a_handler_is_passed_over(shop: Shop, redis: Redis) -> None:
    await put(redis, event(1, event_type="quota.unheard"), event(2))
    async with running(Consumer(shop.pool, redis, "shop", {"quota.updated": shop.handle}).run()):
        await comes(shop.effects, [2])
        await comes(lambda: pending(redis, "shop"), 0)


async def test_what_a_killed_consumer_had_read_is_handled_once_by_another(shop: Shop, redis: Redis) -> None:
    reached = asyncio.Event()

    async def stuck(connection: PoolConnectionProxy, event: Envelope) -> None:
        await shop.handle(connection, event)
        reached.set()
        await asyncio.Event().wait()

    await put(redis, event(1), event(2))
    async with running(consumer(shop, redis, stuck).run()) as kill:
        await reached.wait()
        assert await pending(redis, "shop") == 2
        async with running(consumer(shop, redis).run()):
            await kill()
            await comes(lambda: pending(redis, "shop"), 0)
    assert await shop.effects() == [1, 2]


async def test_many_consumers_of_a_group_keep_the_order(shop: Shop, redis: Redis) -> None:
    async with running(*(consumer(shop, redis).run() for _ in range(4))):
        for first in range(0, 200, 10):
            await put(redis, *(event(number) for number in range(first, first + 10)))
            await asyncio.sleep(0)
        await comes(shop.effects, list(range(200)))


async def test_a_handler_that_fails_gets_the_event_again(shop: Shop, redis: Redis) -> None:
    failing = Fails(shop, 1, times=3)
    await put(redis, event(1))
    async with running(consumer(shop, redis, failing).run()):
        await comes(shop.effects, [1])
        await comes(lambda: pending(redis, "shop"), 0)
    assert failing.tried == 4
    assert await redis.exists(DEAD) == 0


async def test_only_the_same_subject_waits_for_another_try(shop: Shop, redis: Redis) -> None:
    failing = Fails(shop, 1, times=1)
    await put(redis, event(1), event(2), event(3, "users/bob"))
    async with running(consumer(shop, redis, failing, retry_seconds=(3600,)).run()):
        await comes(lambda: shop.effects("users/bob"), [3])
        await put(redis, event(4), event(5, "users/bob"))
        await comes(lambda: shop.effects("users/bob"), [3, 5])
        assert await shop.effects() == []
    async with running(consumer(shop, redis).run()):
        await comes(shop.effects, [1, 2, 4])


async def test_an_event_that_always_fails_goes_to_the_dead_letters(shop: Shop, redis: Redis) -> None:
    failing = Fails(shop, 1, times=1000)
    poison = event(1)
    await put(redis, poison, event(2))
    async with running(consumer(shop, redis, failing).run()):
        await comes(shop.effects, [2])
        await comes(lambda: pending(redis, "shop"), 0)
    dead = [letter async for letter in letters(redis, "quota")]
    assert [(one.group, one.deliveries, one.payload) for one in dead] == [("shop", 5, poison.SerializeToString())]
    assert dead[0].error.startswith("RuntimeError at test_events_consumer.py:")
    assert failing.tried == 5


@pytest.mark.parametrize("payload", [b"\xff", b"", Envelope(id="no uuid", type="a.b", subject="s").SerializeToString()])
async def test_what_is_no_event_goes_to_the_dead_letters_at_once(shop: Shop, redis: Redis, payload: bytes) -> None:
    entry = await redis.xadd(STREAM, {"envelope": payload})
    await put(redis, event(2))
    async with running(consumer(shop, redis, retry_seconds=(3600,)).run()):
        await comes(shop.effects, [2])
        await comes(lambda: pending(redis, "shop"), 0)
    dead = [letter async for letter in letters(redis, "quota")]
    assert [(one.entry.encode(), one.deliveries, one.payload) for one in dead] == [(entry, 1, payload)]


async def test_a_dead_letter_that_is_replayed_is_handled_by_its_own_group_alone(shop: Shop, redis: Redis) -> None:
    failing = Fails(shop, 1, times=1)
    await put(redis, event(1))
    async with running(consumer(shop, redis, failing, retry_seconds=()).run()):
        await comes(lambda: redis.xlen(DEAD), 1)
    (letter,) = [letter async for letter in letters(redis, "quota")]
    assert [await replay(redis, letter), await replay(redis, letter)] == [True, False]
    await shop.pool.execute("TRUNCATE inbox")
    async with running(consumer(shop, redis, group="other").run(), consumer(shop, redis).run()):
        await comes(shop.effects, [1, 1])
        await comes(lambda: pending(redis, "shop"), 0)
        await comes(lambda: pending(redis, "other"), 0)
    consumed = await shop.pool.fetch("SELECT consumer_group FROM inbox ORDER BY 1")
    assert [row[0] for row in consumed] == ["other", "shop"]
    assert await redis.xlen(DEAD) == 0


async def test_what_was_trimmed_before_it_was_read_is_told_once(shop: Shop, redis: Redis) -> None:
    await put(redis, event(1))
    async with running(consumer(shop, redis).run()):
        await comes(shop.effects, [1])
    await put(redis, *(event(number) for number in range(2, 8)))
    await redis.xtrim(STREAM, maxlen=2, approximate=False)
    with capture_logs() as logs:
        async with running(consumer(shop, redis).run()):
            await comes(shop.effects, [1, 6, 7])
            await put(redis, event(8))
            await comes(shop.effects, [1, 6, 7, 8])
    assert [(one["event"], one["missed"]) for one in logs] == [("events: gap", 4)]


async def test_a_new_group_misses_nothing_of_a_stream_that_was_trimmed_before(shop: Shop, redis: Redis) -> None:
    await put(redis, *(event(number) for number in range(5)))
    await redis.xtrim(STREAM, maxlen=2, approximate=False)
    with capture_logs() as logs:
        async with running(consumer(shop, redis).run()):
            await comes(shop.effects, [3, 4])
    assert logs == []


async def test_an_event_that_is_trimmed_while_it_waits_is_told(shop: Shop, redis: Redis) -> None:
    failing = Fails(shop, 1, times=1)
    await put(redis, event(1))
    async with running(consumer(shop, redis, failing, retry_seconds=(3600,)).run()):
        await comes(lambda: pending(redis, "shop"), 1)
        await comes(lambda: tried(failing), 1)
    await redis.xtrim(STREAM, maxlen=0, approximate=False)
    with capture_logs() as logs:
        async with running(consumer(shop, redis).run()):
            await comes(lambda: pending(redis, "shop"), 0)
            await put(redis, event(2))
            await comes(shop.effects, [2])
    assert [(one["event"], one["missed"]) for one in logs] == [("events: gap", 1)]


async def tried(failing: Fails) -> int:
    return failing.tried


async def test_a_redis_that_forgot_everything_is_used_again_and_told(shop: Shop, redis: Redis) -> None:
    with capture_logs() as logs:
        async with running(consumer(shop, redis).run()):
            await put(redis, event(1))
            await comes(shop.effects, [1])
            await redis.flushall()
            await put(redis, event(2), event(3))
            await comes(shop.effects, [1, 2, 3])
    assert "events: gap" in [one["event"] for one in logs]


async def test_a_database_connection_that_is_cut_costs_no_delivery(shop: Shop, redis: Redis) -> None:
    cut = False

    async def cutting(connection: PoolConnectionProxy, event: Envelope) -> None:
        nonlocal cut
        await shop.handle(connection, event)
        if not cut:
            cut = True
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    await put(redis, event(1), event(2))
    async with running(consumer(shop, redis, cutting).run()):
        await comes(shop.effects, [1, 2])
    assert await redis.exists(DEAD) == 0


async def test_old_notes_in_the_inbox_are_forgotten(shop: Shop, redis: Redis) -> None:
    note = "INSERT INTO inbox VALUES ('shop', gen_random_uuid(), now() - make_interval(days => $1))"
    for days in (1, 13, 15, 100):
        await shop.pool.execute(note, days)
    await consumer(shop, redis).clean()
    assert await shop.pool.fetchval("SELECT count(*) FROM inbox") == 2


async def test_a_hundred_consumers_share_one_client_for_waiting(shop: Shop, redis: Redis, redis_url: str) -> None:
    assert runtime_redis.CONNECTIONS_MAX < 100
    with capture_logs() as logs:
        async with runtime_redis.connect(redis_url) as waiting:
            groups = [consumer(shop, redis, group=f"group-{number}", waiting=waiting) for number in range(100)]
            await wait_for_news(shop, redis, groups)
    # They queue for the database's few connections, and some of them longer than they care to wait at a time.
    assert {one["error"] for one in logs if "error" in one} <= {"Unavailable"}


async def wait_for_news(shop: Shop, redis: Redis, groups: list[Consumer]) -> None:
    async with running(*(group.run() for group in groups)):
        await put(redis, event(7))
        await comes(shop.effects, [7] * len(groups))


def test_a_blocking_read_ends_before_the_client_gives_up() -> None:
    assert BLOCK_MS < runtime_redis.TIMEOUT_SECONDS * 1000
