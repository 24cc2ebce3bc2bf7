"""What a use of the database leaves behind, and what it is told of a database that cannot work."""

import asyncio

import asyncpg
import pytest

from runtime import postgres
from runtime.errors import Unavailable


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


# Full, out of memory, a disk that fails, locks, deadlocks, another password, no such database, an administrator.
CANNOT_WORK = (
    *("53000", "53100", "53200", "53300", "53400", "58000", "58030", "55P03", "40P01", "40001", "40003"),
    *("28P01", "28000", "3D000", "57P01", "57P03", "57P04", "57014", "25006", "08006"),
)


async def test_a_database_that_cannot_work_just_now_is_unavailable(database: str) -> None:
    told = {}
    async with asyncpg.create_pool(database, min_size=1, max_size=1, reset=postgres._as_it_is) as pool:
        for state in CANNOT_WORK:
            try:
                async with postgres.connection(pool) as one:
                    await one.execute(f"DO $$ BEGIN RAISE EXCEPTION 'told' USING ERRCODE = '{state}'; END $$")
            except (Unavailable, asyncpg.PostgresError) as error:
                told[state] = getattr(error, "reason", repr(error))
    assert told == dict.fromkeys(CANNOT_WORK, "DATABASE_UNAVAILABLE")


async def test_what_is_wrong_with_a_statement_is_a_defect(database: str) -> None:
    async with asyncpg.create_pool(database, min_size=1, max_size=1, reset=postgres._as_it_is) as pool:
        with pytest.raises(asyncpg.UndefinedTableError):
            async with postgres.connection(pool) as one:
                await one.execute("SELECT FROM nowhere")


PID = "SELECT pg_backend_pid()"


async def test_who_waits_too_long_over_a_reserved_connection_is_told_so_by_the_database_and_keeps_it(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "RESERVED_SECONDS", 1.0)
    monkeypatch.setattr(postgres, "RESERVED_SHARE", 0.1)
    async with postgres.reserved(database, schema="public") as pool:
        monkeypatch.setattr(postgres, "RESERVED_SECONDS", 60.0)
        async with postgres.at_once(pool) as one:
            before = await one.fetchval(PID)
        with pytest.raises(Unavailable):
            async with postgres.at_once(pool) as one:
                await one.execute("SELECT pg_sleep(100)")
        async with postgres.at_once(pool) as one:
            assert await one.fetchval(PID) == before


async def test_a_reserved_connection_whose_use_comes_to_no_end_is_closed_and_the_next_one_has_another(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with postgres.reserved(database, schema="public") as pool:
        async with postgres.at_once(pool) as one:
            before = await one.fetchval(PID)
        with monkeypatch.context() as patch:
            patch.setattr(postgres, "RESERVED_SECONDS", 0.05)
            with pytest.raises(Unavailable):
                async with postgres.at_once(pool):
                    await asyncio.Event().wait()
        async with postgres.at_once(pool) as one:
            assert await one.fetchval(PID) != before
