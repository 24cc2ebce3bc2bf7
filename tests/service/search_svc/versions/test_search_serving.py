from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from redis.asyncio import Redis

from runtime.errors import FailedPrecondition, Unavailable
from runtime.postgres import Pool, pool
from services.search_svc.domain.version import ServingStatus, State
from services.search_svc.index.build import build
from services.search_svc.store import MIGRATIONS, SCHEMA
from services.search_svc.versions import serving
from tests.harness import engines
from tests.service.search_svc.versions.workshop import (
    NOW,
    TITLES,
    Clock,
    Replica,
    Site,
    eventually,
    films,
    replica,
    running,
)

Damage = Callable[[Path], object]


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def one_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def another(file: Path) -> None:
    """A sound index, and not the one that was built."""
    build(films(["Heat"]), file, 1)


DAMAGES = [
    pytest.param(cut_off, "is damaged", id="cut off"),
    pytest.param(one_bit, "is damaged", id="a bit flipped"),
    pytest.param(emptied, "is damaged", id="empty"),
    pytest.param(another, "is not the file that was built", id="another index"),
    pytest.param(Path.unlink, "is not on disk any more", id="missing"),
]


def found(replica: Replica, query: str) -> list[str]:
    return [hit.id for hit in replica.serving.index.search(query, limit=10)]


async def wishes(connections: Pool) -> int:
    return int(await connections.fetchval("SELECT count(*) FROM build_wishes"))


async def test_what_is_active_is_loaded(replica: Replica) -> None:
    await replica.built()
    await replica.serving.follow()
    assert replica.serving.status == ServingStatus(1, NOW)
    assert (replica.serving.index.version, found(replica, "matri")) == (1, ["the-matrix"])


async def test_a_new_machine_asks_for_its_first_build_once_and_waits(
    replica: Replica, other: Replica, connections: Pool
) -> None:
    with pytest.raises(Unavailable) as refused:
        assert replica.serving.index
    assert refused.value.reason == "INDEX_NOT_READY"
    for one in (replica, other, replica):
        await one.serving.follow()
    assert await wishes(connections) == 1
    async with running(replica.building.run, replica.serving.run):
        await replica.serving.first()
    assert replica.serving.index.version == 1


async def test_a_first_build_that_failed_is_asked_for_again_later(
    replica: Replica, connections: Pool, clock: Clock
) -> None:
    await replica.serving.follow()
    await connections.execute("DELETE FROM build_wishes")
    await replica.serving.follow()
    assert await wishes(connections) == 0
    clock.pass_by(seconds=60)
    await replica.serving.follow()
    assert await wishes(connections) == 1


async def test_replicas_follow_what_comes_into_service(replica: Replica, other: Replica, site: Site) -> None:
    swapped: list[int] = []
    other.serving.on_swap(swapped.append)
    async with running(replica.serving.run, other.serving.run):
        await replica.built()
        await other.serving.first()
        kept = other.serving.index
        site.titles = (*TITLES, *films(["Heat"]))
        await replica.built()
        other.serving.nudge()
        await eventually(lambda: swapped == [1, 2])
        assert found(other, "heat") == ["heat"]
        await other.activating.activate(1, "olga")
        await eventually(lambda: swapped == [1, 2, 1])
    assert found(other, "heat") == []
    assert kept.version == 1


async def test_a_swap_is_noticed_without_being_told(
    replica: Replica, other: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "POLL_SECONDS", 0.02)
    async with running(other.serving.run):
        for number in (1, 2):
            await replica.built()
            await other.serving.first()
            await eventually(lambda number=number: other.serving.index.version == number)


@pytest.mark.parametrize(("damage", "why"), DAMAGES)
async def test_at_its_start_a_replica_does_without_a_bad_file(
    replica: Replica, connections: Pool, directory: Path, clock: Clock, damage: Damage, why: str
) -> None:
    await replica.built()
    await replica.built()
    damage(directory / "2.index")
    await replica.serving.follow()
    status = replica.serving.status
    assert (status.version, found(replica, "matrix")) == (1, ["the-matrix"])
    assert status.degraded.startswith(f"Index version 2 is active, but its file {why}")
    assert status.degraded.endswith(": version 1 serves until a new one is built.")
    assert await wishes(connections) == 1
    await replica.building.turn()
    await replica.serving.follow()
    assert replica.serving.status == ServingStatus(3, clock())


@pytest.mark.parametrize(("damage", "why"), DAMAGES)
async def test_a_running_replica_serves_on_when_the_next_file_is_bad(
    replica: Replica, directory: Path, damage: Damage, why: str
) -> None:
    await replica.built()
    await replica.serving.follow()
    await replica.built()
    damage(directory / "2.index")
    for _ in range(2):
        await replica.serving.follow()
    assert (replica.serving.status.version, found(replica, "matrix")) == (1, ["the-matrix"])
    assert f"its file {why}" in replica.serving.status.degraded


@pytest.mark.parametrize(("damage", "why"), DAMAGES)
async def test_a_bad_file_is_not_put_into_service(replica: Replica, directory: Path, damage: Damage, why: str) -> None:
    await replica.built()
    await replica.built()
    damage(directory / "1.index")
    with pytest.raises(FailedPrecondition, match=why) as refused:
        await replica.activating.activate(1, "olga")
    assert (refused.value.reason, await replica.active()) == ("INDEX_VERSION_UNUSABLE", 2)


async def test_a_file_that_was_repaired_serves(replica: Replica, directory: Path) -> None:
    await replica.built()
    await replica.built()
    file = directory / "2.index"
    whole = file.read_bytes()
    one_bit(file)
    await replica.serving.follow()
    file.write_bytes(whole)
    await replica.serving.follow()
    assert replica.serving.status == ServingStatus(2, NOW)


async def test_without_any_good_file_a_build_is_awaited(replica: Replica, directory: Path, connections: Pool) -> None:
    await replica.built()
    await replica.built()
    for number in (1, 2):
        cut_off(directory / f"{number}.index")
    await replica.serving.follow()
    with pytest.raises(Unavailable):
        assert replica.serving.status
    async with running(replica.building.run, replica.serving.run):
        await replica.serving.first()
    assert replica.serving.status == ServingStatus(3, NOW)
    assert (await replica.states())[3] is State.READY


async def test_while_the_database_is_away_what_is_loaded_serves_on(redis: Redis, tmp_path: Path) -> None:
    with TemporaryDirectory(prefix="scenemesh-postgres-") as folder, ExitStack() as stack:
        dsn = stack.enter_context(engines.postgres(Path(folder)))
        async with pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections:
            lonely = replica(connections, redis, tmp_path, Clock(), Site(tmp_path))
            await lonely.built()
            await lonely.serving.follow()
            stack.close()
            with pytest.raises(Unavailable):
                await lonely.serving.follow()
            async with running(lonely.serving.run, lonely.building.run):
                lonely.serving.nudge()
                await eventually(lambda: lonely.serving._away)
                assert found(lonely, "matrix") == ["the-matrix"]
                assert lonely.serving.status == ServingStatus(1, NOW)
