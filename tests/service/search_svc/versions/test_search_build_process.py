import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis

from runtime.postgres import Pool
from services.search_svc.catalogue import Source
from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.entries import Kind
from services.search_svc.domain.version import Built, Counts, Failed, Order, State
from services.search_svc.index.index import Index
from services.search_svc.store import Catalogue
from services.search_svc.versions.process import BuildProcess
from tests.service.search_svc.versions.lonely import STANDSTILL
from tests.service.search_svc.versions.workshop import TITLES, Clock, Replica, eventually, replica, running

SMALL_DISK = (sys.executable, "-m", "tests.service.search_svc.versions.small_disk")
ROOT = Path(__file__).parents[4]


@pytest.fixture
async def catalogue(connections: Pool, clock: Clock) -> Catalogue:
    catalogue = Catalogue(connections, clock)
    await catalogue.bring_in([Source("films.toml", b"1", TITLES)])
    return catalogue


@pytest.fixture
def process(database: str, directory: Path) -> BuildProcess:
    return BuildProcess(database, directory)


@pytest.fixture
def workers(connections: Pool, redis: Redis, directory: Path, clock: Clock, process: BuildProcess) -> Replica:
    """A replica that builds in a process of its own."""
    return replica(connections, redis, directory, clock, process)


def in_service(replica: Replica) -> list[str]:
    return [hit.id for hit in replica.serving.index.search("neo", limit=10)]


def half_written(directory: Path) -> list[Path]:
    return list(directory.glob("*.new"))


def pid_in(file: Path) -> int:
    """Of the process that writes `{number}.{pid}.new`."""
    return int(file.name.split(".")[1])


def alive(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


async def test_an_index_is_built_out_of_the_catalogue(
    catalogue: Catalogue, process: BuildProcess, directory: Path
) -> None:
    first = await process(Order(1), [])
    assert isinstance(first, Built)
    index = Index.open(directory / "1.index")
    assert (first.summary.checksum, first.summary.counts) == (index.checksum, Counts(3, 1, 0))
    assert (first.comparison, [hit.id for hit in index.search("neo", limit=10)]) == (None, ["neo"])
    asked = [Asked("matrix"), Asked("ak", frozenset({Kind.ANIME})), Asked("zzzzzz")]
    second = await process(Order(2, 1, first.summary.checksum), asked)
    assert isinstance(second, Built)
    assert second.comparison is not None
    assert (second.comparison.queries, second.comparison.agreement, second.refusal) == (3, 1.0, "")


async def test_a_baseline_that_is_damaged_is_not_compared_with(
    catalogue: Catalogue, process: BuildProcess, directory: Path
) -> None:
    (directory / "1.index").write_bytes(b"nothing of the kind")
    outcome = await process(Order(2, 1, "ab"), [Asked("matrix")])
    assert isinstance(outcome, Built)
    assert outcome.comparison is None


async def test_the_service_brings_its_first_index_into_service(catalogue: Catalogue, workers: Replica) -> None:
    async with running(workers.building.run, workers.serving.run):
        await workers.serving.first()
    assert (in_service(workers), workers.on_disk()) == (["neo"], ["1.index"])


async def test_a_full_disk_fails_the_version_and_leaves_nothing(
    catalogue: Catalogue, workers: Replica, database: str, directory: Path
) -> None:
    await workers.built()
    workers.building._build = BuildProcess(database, directory, command=SMALL_DISK)
    failed = await workers.built()
    assert (failed.state, await workers.active()) == (State.FAILED, 1)
    assert failed.error == f"There is no room for the index: make some in {directory}, then build again."
    assert workers.on_disk() == ["1.index"]


async def test_a_folder_that_cannot_be_made_is_said(catalogue: Catalogue, database: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / "indexes"
    assert await BuildProcess(database, folder)(Order(1), []) == Failed(
        f"The index cannot be written to {folder}: Not a directory. Change that, then build again."
    )


async def test_without_a_database_it_is_built_anew_later(process: BuildProcess, tmp_path: Path) -> None:
    away = BuildProcess(f"postgresql://postgres@/postgres?host={tmp_path}", tmp_path)
    outcome = await away(Order(1), [])
    assert isinstance(outcome, Failed)
    assert (outcome.error.partition(":")[0], outcome.again) == ("The catalogue could not be read", True)


async def test_a_build_takes_only_so_long(catalogue: Catalogue, database: str, directory: Path) -> None:
    slow = BuildProcess(database, directory, seconds_max=3, command=STANDSTILL)
    assert await slow(Order(1), []) == Failed(
        "The build took longer than 3 seconds: see what else the machine does, then build again."
    )
    assert half_written(directory) == []


async def test_a_killed_build_fails_the_version_and_leaves_nothing(
    catalogue: Catalogue, workers: Replica, database: str, directory: Path
) -> None:
    await workers.built()
    workers.building._build = BuildProcess(database, directory, command=STANDSTILL)
    await workers.wish()
    turn = asyncio.create_task(workers.building.turn())
    await eventually(lambda: half_written(directory) != [])
    os.kill(pid_in(half_written(directory)[0]), signal.SIGKILL)
    assert await turn
    failed = (await workers.listed())[0]
    assert (failed.state, failed.error) == (
        State.FAILED,
        "The build's process was ended by signal 9: see whether memory is short, then build again.",
    )
    assert (workers.on_disk(), await workers.active()) == (["1.index"], 1)


async def test_a_cancelled_build_ends_its_process(catalogue: Catalogue, database: str, directory: Path) -> None:
    task = asyncio.create_task(BuildProcess(database, directory, command=STANDSTILL)(Order(1), []))
    await eventually(lambda: half_written(directory) != [])
    pid = pid_in(half_written(directory)[0])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (alive(pid), half_written(directory)) == (False, [])


async def test_a_build_ends_with_the_process_that_began_it_and_another_one_begins_anew(
    catalogue: Catalogue, workers: Replica, database: str, redis_url: str, directory: Path, clock: Clock
) -> None:
    command = (sys.executable, "-m", "tests.service.search_svc.versions.lonely", database, redis_url, str(directory))
    lonely = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
    try:
        await eventually(lambda: half_written(directory) != [])
        pid = pid_in(half_written(directory)[0])
    finally:
        lonely.kill()
        await lonely.wait()
    await eventually(lambda: not alive(pid) and half_written(directory) == [])
    assert not await workers.building.turn()
    clock.pass_by(minutes=1)
    assert await workers.building.turn()
    assert await workers.states() == {1: State.FAILED, 2: State.READY}


async def test_a_process_that_cannot_be_understood_has_broken_off(directory: Path) -> None:
    said_nothing = BuildProcess("", directory, command=(sys.executable, "-c", "import sys; sys.exit(3)"))
    assert await said_nothing(Order(1), []) == Failed("The build broke off with exit code 3: the log says why.")
