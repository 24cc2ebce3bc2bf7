import asyncio
from typing import Any

from runtime.redis import connect

# More turns of the loop than a command needs to leave.
TURNS_MAX = 40


async def test_whoever_is_cancelled_as_a_command_leaves_is_cancelled(redis_url: str) -> None:
    for turns in range(TURNS_MAX):
        async with connect(redis_url) as redis:
            never: Any = redis.blpop(["redis-never"], timeout=1)
            waiting = asyncio.create_task(never)
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            assert waiting.cancelled(), f"cancelled after {turns} turns of the loop"
            assert await redis.ping()


async def test_whoever_is_cancelled_before_a_command_leaves_is_cancelled(redis_url: str) -> None:
    async with connect(redis_url) as redis:

        async def cancelled() -> None:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await redis.ping()

        ending = asyncio.create_task(cancelled())
        await asyncio.wait({ending})
        assert ending.cancelled()
        assert await redis.ping()


async def test_whoever_cleans_up_after_it_was_cancelled_is_let(redis_url: str) -> None:
    async with connect(redis_url) as redis:
        cleaned = asyncio.Event()

        async def working() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                assert await redis.ping()
                cleaned.set()

        task = asyncio.create_task(working())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert cleaned.is_set()
