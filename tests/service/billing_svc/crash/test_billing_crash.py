"""Webhooks under kill -9: replicas die where it hurts most, and Postgres when chance will have it.

SCENEMESH_CRASH_SEED repeats a run's choices, SCENEMESH_CRASH_SECONDS makes it longer.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random, SystemRandom

import pytest

from tests.service.billing_svc.crash.audit import UNFINISHED, faults
from tests.service.billing_svc.crash.points import POINTS
from tests.service.billing_svc.crash.sender import USERS, Journal, Sender
from tests.service.billing_svc.crash.stage import Stage, stage
from tests.service.quota_svc.crash.killer import kill

SECONDS = float(os.environ.get("SCENEMESH_CRASH_SECONDS", "10"))
SEED = int(os.environ.get("SCENEMESH_CRASH_SEED", SystemRandom().getrandbits(32)))
SECONDS_PER_KILL = 5.0
SENDERS = 6
FINISHED_SECONDS_MAX = 240.0
# Whoever is killed from outside dies at its own point in another life.
DEATHS_SECONDS_MAX = 240.0


@pytest.fixture
async def crashed(certificates: Path, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(certificates, tmp_path, Random(SEED)) as found:
        yield found


async def test_what_was_acknowledged_has_its_effect_once_after_any_crash(crashed: Stage) -> None:
    print(f"SCENEMESH_CRASH_SEED={SEED} SCENEMESH_CRASH_SECONDS={SECONDS:g}")  # noqa: T201 (pytest shows it with a failure)
    journal, random = Journal(), Random(SEED)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for number in range(SENDERS):
            tasks.create_task(Sender(str(number), crashed, journal, Random(random.getrandbits(64))).run(stop))
        # The replicas die by themselves, at points that are named; some of these kills meet them anywhere.
        victims = [member.kill for member in crashed.members]
        victims.append(lambda: crashed.database.kill_backend(random))
        await kill(victims, SECONDS, round(SECONDS / SECONDS_PER_KILL), random)
        async with asyncio.timeout(DEATHS_SECONDS_MAX):
            while crashed.deaths.died().keys() != set(POINTS):
                await asyncio.sleep(0.1)
        stop.set()

    crashed.deaths.over = True
    for replica in crashed.replicas:
        replica.member.kill()
    await asyncio.gather(*[Sender(user, crashed, journal, random).happen(user) for user in USERS])
    await crashed.all_up()
    database = await crashed.connected()
    try:
        async with asyncio.timeout(FINISHED_SECONDS_MAX):
            while await database.fetchval(UNFINISHED):
                await asyncio.sleep(0.05)
        assert await faults(database, journal, crashed.desk) == []
    finally:
        await database.close()
    assert set(journal.acknowledged) == set(journal.sent)
    assert {member.name: member.faults for member in crashed.members} == {
        "postgres": [],
        "billing-1": [],
        "billing-2": [],
    }
    report(crashed, journal)


def report(crashed: Stage, journal: Journal) -> None:
    kills = {member.name: member.kills for member in crashed.members}
    told = (
        f"events {len(journal.acknowledged)}, effects {len(crashed.desk.effects)} told {len(crashed.desk.told)} times"
    )
    print(f"{told}, kills {kills}, deaths {dict(crashed.deaths.died())}, retries {dict(journal.retries)}")  # noqa: T201
