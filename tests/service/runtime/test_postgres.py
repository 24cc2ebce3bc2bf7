"""A connection that comes back to the pool has nothing open, however its last use ended."""

import asyncio

import asyncpg

from runtime import postgres


async def test_a_use_that_was_cancelled_at_any_moment_leaves_no_transaction_open(database: str) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=1, reset=postgres._as_it_is) as pool:
        for steps in range(80):
            await _cut_off(pool, steps % 8, f"SELECT {steps} + $1::int")
            async with postgres.connection(pool) as one, one.transaction(isolation="repeatable_read"):
                assert await one.fetchval("SELECT 1") == 1


async def _cut_off(pool: postgres.Pool, steps: int, query: str) -> None:
    """Cancels a query after so many turns of the loop."""

    async def asking() -> None:
        async with postgres.connection(pool) as one:
            await one.fetchval(query, 1)

    task = asyncio.create_task(asking())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
