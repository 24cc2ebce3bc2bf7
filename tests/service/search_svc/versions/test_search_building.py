import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from redis.asyncio import Redis

from runtime.errors import Unavailable
from runtime.postgres import Pool
from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.version import Failed, Order, Outcome, State, Version
from services.search_svc.store import Versions
from services.search_svc.versions import building
from services.search_svc.versions.building import DEFECT, STOPPED
from tests.service.search_svc.versions.workshop import Clock, Replica, Site, eventually, films, replica, running

OFTEN = 500
SHORT_LEASE_SECONDS = 8.0


class Standstill:
    """A build that does not end by itself."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, order: Order, queries: Sequence[Asked]) -> Outcome:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()
        raise AssertionError("it does not end")


async def test_a_wish_is_fulfilled_in_the_background(replica: Replica) -> None:
    async with running(replica.building.run):
        await replica.wish()
        replica.building.nudge()
        await eventually(lambda: replica.nudges == ["activated"])
    assert await replica.states() == {1: State.READY}


async def test_a_wish_that_nobody_told_of_is_found(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "POLL_SECONDS", 0.02)
    async with running(replica.building.run):
        await replica.wish()
        await eventually(lambda: replica.nudges == ["activated"])


async def test_two_replicas_build_once(replica: Replica, other: Replica, site: Site) -> None:
    await replica.wish()
    assert sorted(await asyncio.gather(replica.building.turn(), other.building.turn())) == [False, True]
    assert site.orders == [Order(1)]


async def test_a_wish_made_during_a_build_makes_another_build(replica: Replica, site: Site) -> None:
    async def wishing(order: Order, queries: Sequence[Asked]) -> Outcome:
        if order.number == 1:
            await replica.wish()
            await replica.wish()
        return await site(order, queries)

    replica.building._build = wishing
    await replica.wish()
    assert [await replica.building.turn() for _ in range(3)] == [True, True, False]
    assert await replica.states() == {1: State.READY, 2: State.READY}


async def test_a_stopped_process_hands_its_build_back(
    connections: Pool, redis: Redis, directory: Path, clock: Clock, other: Replica
) -> None:
    work = Standstill()
    stopped = replica(connections, redis, directory, clock, work)
    await stopped.wish()
    async with running(stopped.building.run):
        await work.begun.wait()
    assert work.cancelled.is_set()
    assert await other.building.turn()
    second, first = await other.listed()
    assert (first.state, first.error, second.state) == (State.FAILED, STOPPED.error, State.READY)


async def test_who_cannot_renew_its_lease_gives_its_build_up(
    connections: Pool, redis: Redis, directory: Path, clock: Clock, other: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "RENEWALS_A_LEASE", OFTEN)
    work = Standstill()
    slow = replica(connections, redis, directory, clock, work)
    await slow.wish()
    async with running(slow.building.run):
        await work.begun.wait()
        clock.pass_by(minutes=1)
        assert await other.versions.begin(other.owner, clock(), timedelta(seconds=15)) == Order(2)
        await work.cancelled.wait()
    assert await other.states() == {1: State.FAILED, 2: State.BUILDING}


async def test_a_lease_is_renewed_as_long_as_the_build_goes_on(
    connections: Pool, redis: Redis, directory: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "RENEWALS_A_LEASE", OFTEN)
    monkeypatch.setattr(building, "LEASE_SECONDS", SHORT_LEASE_SECONDS)
    work, loop = Standstill(), asyncio.get_running_loop()
    steady = replica(connections, redis, directory, clock, work)
    await steady.wish()
    leased = "SELECT leased_until FROM index_versions"
    async with running(steady.building.run):
        await work.begun.wait()
        over = loop.time() + 1.2 * SHORT_LEASE_SECONDS
        while loop.time() < over:
            clock.now = await connections.fetchval(leased) + timedelta(minutes=1)

            async def renewed() -> bool:
                return bool(await connections.fetchval(leased) > clock.now)

            await eventually(renewed)
        assert not work.cancelled.is_set()


class Forgetful(Versions):
    """The database goes away when the first outcome is to be kept."""

    away = True

    async def finish(
        self, number: int, owner: UUID, outcome: Outcome, build_time: timedelta, now: datetime
    ) -> Version | None:
        if self.away:
            self.away = False
            raise Unavailable("It is away.", reason="DATABASE_UNAVAILABLE")
        return await super().finish(number, owner, outcome, build_time, now)


async def test_an_outcome_is_kept_when_the_database_is_back(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(replica.versions, "__class__", Forgetful)
    await replica.wish()
    assert await replica.building.turn()
    assert await replica.states() == {1: State.READY}


async def test_a_failure_leaves_the_version_in_service_alone(
    connections: Pool, redis: Redis, directory: Path, clock: Clock, replica: Replica
) -> None:
    await replica.built()

    async def full(order: Order, queries: Sequence[Asked]) -> Outcome:
        (directory / f"{order.number}.4711.new").write_text("half of it")
        return Failed("There is no room.")

    replica.building._build = full
    failed = await replica.built()
    assert (failed.state, failed.error, await replica.active()) == (State.FAILED, "There is no room.", 1)
    assert replica.on_disk() == ["1.index"]


async def test_a_defect_fails_the_version_and_not_the_process(replica: Replica) -> None:
    async def broken(order: Order, queries: Sequence[Asked]) -> Outcome:
        raise ZeroDivisionError

    replica.building._build = broken
    failed = await replica.built()
    assert (failed.state, failed.error) == (State.FAILED, DEFECT.error)
    assert not await replica.building.turn()


async def test_files_of_others_are_left_alone(replica: Replica, directory: Path) -> None:
    for name in ("notes.txt", "99.index", "99.4711.new"):
        (directory / name).write_text("x")
    await replica.built()
    assert replica.on_disk() == ["1.index", "99.4711.new", "99.index", "notes.txt"]


async def test_a_file_whose_removal_was_missed_is_removed_later(replica: Replica, directory: Path, site: Site) -> None:
    for _ in range(4):
        await replica.built()
    (directory / "1.index").write_text("back again")
    site.titles = films(["Heat", "Ronin", "Up"])
    await replica.building.tidy()
    assert replica.on_disk() == ["2.index", "3.index", "4.index"]
