"""The ledger under kill -9: while clients press, replicas and Postgres die again and again, and nothing is lost.

SCENEMESH_CRASH_SEED repeats a run's choices, SCENEMESH_CRASH_SECONDS makes it longer.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from uuid import UUID

import asyncpg
import pytest
from redis.asyncio import Redis

from runtime.events.outage import FAULTS
from scenemesh.quota.v1 import quota_pb2
from services.quota_svc.store import SCHEMA
from tests.service.quota_svc.crash import audit, telling
from tests.service.quota_svc.crash.calling import Calling
from tests.service.quota_svc.crash.client import USERS, Client
from tests.service.quota_svc.crash.invariants import broken
from tests.service.quota_svc.crash.journal import Journal
from tests.service.quota_svc.crash.killer import kill
from tests.service.quota_svc.crash.stage import Stage, stage

SECONDS = float(os.environ.get("SCENEMESH_CRASH_SECONDS", "16"))
SEED = int(os.environ.get("SCENEMESH_CRASH_SEED", SystemRandom().getrandbits(32)))
SECONDS_PER_KILL = 2.0
CLIENTS = 8
OPERATIONS_AFTERWARDS = 20
LOOK_SECONDS = 0.5
SETTLED_SECONDS_MAX = 120.0

# Everything that was there once, if it is to be there: holds that are due, events that are not published.
UNFINISHED = """
    SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM holds WHERE state = 'held' AND expire_time <= now())
"""


@pytest.fixture
async def crashed(certificates: Path, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(certificates, tmp_path) as found:
        yield found


async def test_what_was_acknowledged_is_there_once_after_any_crash(crashed: Stage) -> None:
    print(f"SCENEMESH_CRASH_SEED={SEED} SCENEMESH_CRASH_SECONDS={SECONDS:g}")  # noqa: T201 (pytest shows it with a failure)
    journal, random = Journal(), Random(SEED)
    await change_plans(crashed, journal)

    looks = await hammer(crashed, journal, random)
    await crashed.all_up()
    await work_again(crashed, journal, random)

    connection = await connected(crashed)
    try:
        await finished(connection)
        assert await broken(connection) == {}
        assert await audit.faults(connection, journal) == []
        changes = await telling.changes(connection)
    finally:
        await connection.close()
    async with Redis.from_url(crashed.redis_url) as redis:
        told = await telling.told(redis)
    assert (set(told), Counter(told).most_common(1)[0][1], telling.out_of_order(told)) == (changes, 1, [])
    await agreement(crashed)
    assert {member.name: member.faults for member in crashed.members} == {
        "postgres": [],
        "quota-1": [],
        "quota-2": [],
    }
    report(crashed, journal, looks, len(told))


async def change_plans(crashed: Stage, journal: Journal) -> None:
    """Puts two of the users on a plan with an unlimited meter."""
    calling = Calling(crashed.replicas, journal, Random(SEED))
    for number, user in enumerate(USERS[:2]):
        request = quota_pb2.SetPlanRequest(
            parent=f"users/{user}", request_id=str(UUID(int=number, version=4)), plan="plans/pro"
        )
        await calling.answer("billing", "SetPlan", request)


async def hammer(crashed: Stage, journal: Journal, random: Random) -> int:
    """Has the clients work while everybody is killed; how often the ledger was looked at, and found sound."""
    stop = asyncio.Event()
    clients = [Client(crashed.replicas, journal, Random(random.getrandbits(64))) for _ in range(CLIENTS)]
    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run(stop))
        looking = tasks.create_task(look(crashed, stop))
        victims: list[Callable[[], None]] = [member.kill for member in crashed.members]
        victims.append(partial(crashed.database.kill_backend, random))
        await kill(victims, SECONDS, round(SECONDS / SECONDS_PER_KILL), random)
        stop.set()
    return looking.result()


async def work_again(crashed: Stage, journal: Journal, random: Random) -> None:
    """Has every replica do some work alone: each has recovered by itself."""
    for replica in crashed.replicas:
        client = Client((replica,), journal, random)
        for _ in range(OPERATIONS_AFTERWARDS):
            await client.work()


async def look(crashed: Stage, stop: asyncio.Event) -> int:
    """Looks whether the rules hold meanwhile, as often as Postgres lets it, and says how often."""
    looks = 0
    while not stop.is_set():
        with suppress(*FAULTS):
            connection = await connected(crashed)
            try:
                assert await broken(connection) == {}
                looks += 1
            finally:
                await connection.close(timeout=1)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stop.wait()
    return looks


async def connected(crashed: Stage) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(crashed.database.dsn, server_settings={"search_path": SCHEMA})


async def finished(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Waits until nothing is due and everything is told."""
    async with asyncio.timeout(SETTLED_SECONDS_MAX):
        while await connection.fetchval(UNFINISHED):
            await asyncio.sleep(0.05)


async def agreement(crashed: Stage) -> None:
    """Waits until the replicas tell every user the same quota; a hold that expires between two answers parts them."""
    async with asyncio.timeout(SETTLED_SECONDS_MAX):
        while await quotas(crashed, 0) != await quotas(crashed, 1):
            await asyncio.sleep(0.05)


async def quotas(crashed: Stage, number: int) -> list[quota_pb2.Quota]:
    """Every user's quota, as one of the replicas tells it."""
    calling = Calling([crashed.replicas[number]], Journal(), Random(SEED))
    requests = [quota_pb2.GetQuotaRequest(name=f"users/{user}/quota") for user in USERS]
    return [(await calling.answer("chat", "GetQuota", request)).answer for request in requests]


def report(crashed: Stage, journal: Journal, looks: int, told: int) -> None:
    kills = {member.name: member.kills for member in crashed.members}
    kills["a backend"] = crashed.database.backend_kills
    print(f"kills {kills}, looks {looks}, events {told}, retries {dict(journal.retries)}")  # noqa: T201
    for (method, outcome), count in sorted(journal.outcomes.items()):
        print(f"{count:7} {method} {outcome}")  # noqa: T201
