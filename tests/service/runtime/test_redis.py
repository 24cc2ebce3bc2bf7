import asyncio

from runtime.redis import connect

# More turns of the loop than a command needs to leave.
TURNS_MAX = 40


async def test_whoever_is_cancelled_as_a_command_leaves_is_cancelled(redis_url: str) -> None:
    for turns in range(TURNS_MAX):
        async with connect(redis_url) as redis:
            waiting = asyncio.create_task(redis.blpop(["redis-never"], timeout=1))
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            assert waiting.cancelled(), f"cancelled after {turns} turns of the loop"
            assert await redis.ping()
