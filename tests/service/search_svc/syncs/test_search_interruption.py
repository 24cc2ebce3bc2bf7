"""Processes that die at a sync, lose it, or lose their database."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from runtime.errors import Unavailable
from runtime.postgres import Pool
from services.search_svc.domain.sync import Mode, State, Sync
from services.search_svc.sources.source import Batch, Fault, Source
from services.search_svc.store import Syncs, Work
from services.search_svc.store.work import LEASE
from tests.service.search_svc.syncs.script import (
    SILENT,
    Clock,
    Script,
    batch,
    begun,
    done,
    kept,
    process,
    reached,
    told,
    until,
    until_true,
)

TAKES_UP = "takes up"
COMMITS = "commits"


async def test_two_processes_take_a_sync_once(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    source = Script([batch(str(number)) for number in range(5)])
    async with process(connections, clock, source), process(connections, clock, source):
        orders = [await begun(syncs, f"file:{number}") for number in range(6)]
        for sync in orders:
            await reached(syncs, sync, State.SUCCEEDED)
    assert len(source.asked) == 6


async def test_another_process_goes_on_where_a_dead_one_was(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    stuck = asyncio.Event()
    first = Script([batch("a"), batch("b"), stuck.wait, batch("ghost")])
    second = Script([batch("a"), batch("b"), batch("c"), batch("d")])
    sync = await begun(syncs)
    async with process(connections, clock, first, SILENT):
        await done(syncs, sync, 2)
        # As long as it may be alive, nobody else begins.
        assert await Work(connections, clock, nothing).take(uuid4(), ()) is None
        async with process(connections, clock, second):
            clock.forward(LEASE.total_seconds())
            over = await reached(syncs, sync, State.SUCCEEDED)
        # The dead one was only asleep: whatever it still brings, it brings in vain.
        stuck.set()
        await until_true(lambda: first.closed == 1)
    assert await kept(connections) == ["a", "b", "c", "d"]
    assert (over.titles_kept, over.characters_kept, over.cursor) == (4, 4, {"given": 4})
    assert second.asked == [(Mode.FULL, {"given": 2}, 2000, None)]
    assert await syncs.sync(sync.id) == over
    assert len(await told(connections)) == 1


async def test_a_process_that_lost_its_sync_while_the_other_still_works_writes_nothing(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    stuck, other_stuck = asyncio.Event(), asyncio.Event()
    first = Script([batch("a"), stuck.wait, batch("ghost")])
    second = Script([batch("a"), batch("b"), other_stuck.wait, batch("c")])
    sync = await begun(syncs)
    async with process(connections, clock, first, SILENT):
        await done(syncs, sync, 1)
        clock.forward(LEASE.total_seconds())
        async with process(connections, clock, second):
            await done(syncs, sync, 2)
            stuck.set()
            await until_true(lambda: first.closed == 1)
            assert await kept(connections) == ["a", "b"]
            other_stuck.set()
            await reached(syncs, sync, State.SUCCEEDED)
    assert await kept(connections) == ["a", "b", "c"]


async def test_a_process_that_lost_its_sync_notices_while_its_source_is_slow(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    slow = Script([batch("a"), asyncio.Event().wait])
    sync = await begun(syncs)
    async with process(connections, clock, slow):
        await done(syncs, sync, 1)
        await connections.execute("UPDATE syncs SET owner = $1", uuid4())
        await until_true(lambda: slow.closed == 1)
    assert (await syncs.sync(sync.id)).state is State.RUNNING


async def test_a_lease_is_renewed_as_long_as_a_slow_source_takes(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    slow = asyncio.Event()
    first, second = Script([batch("a"), slow.wait, batch("b")]), Script([batch("ghost")])
    sync = await begun(syncs)
    async with process(connections, clock, first):
        await done(syncs, sync, 1)
        async with process(connections, clock, second):
            for _ in range(5):
                before = await leased_until(connections)
                clock.forward(LEASE.total_seconds() * 0.9)
                await until_leased_after(connections, before)
            slow.set()
            await reached(syncs, sync, State.SUCCEEDED)
    assert (await kept(connections), second.asked) == (["a", "b"], [])


async def leased_until(pool: Pool) -> datetime:
    moment: datetime = await pool.fetchval("SELECT leased_until FROM syncs")
    return moment


async def until_leased_after(pool: Pool, before: datetime) -> None:
    async def later() -> bool:
        return await leased_until(pool) - before > LEASE / 2

    await until(later)


async def test_a_process_that_ends_leaves_its_sync_to_another_at_once(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    first = Script([batch("a"), asyncio.Event().wait])
    second = Script([batch("a"), batch("b")])
    sync = await begun(syncs)
    async with process(connections, clock, first):
        await done(syncs, sync, 1)
    assert first.closed == 1
    async with process(connections, clock, second):
        over = await reached(syncs, sync, State.SUCCEEDED)
    assert (over.titles_kept, await kept(connections)) == (2, ["a", "b"])


def nothing(_: object) -> Any:
    raise AssertionError


class Flaky(Work):
    """The database goes away at the second batch: before it takes it up, or after it has committed it."""

    when = TAKES_UP
    tries = 0

    async def keep(self, sync_id: UUID, owner: UUID, source: Source, batch: Batch) -> Sync:
        self.tries += 1
        if self.tries == 2 and self.when == TAKES_UP:
            raise Unavailable("Away.", reason="DATABASE_UNAVAILABLE")
        sync = await super().keep(sync_id, owner, source, batch)
        if self.tries == 2:
            raise Unavailable("Away.", reason="DATABASE_UNAVAILABLE")
        return sync


@pytest.mark.parametrize("when", [TAKES_UP, COMMITS])
async def test_a_sync_goes_on_after_the_database_was_away(
    connections: Pool, clock: Clock, syncs: Syncs, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Flaky, "when", when)
    fault = Fault("line 1", "has no name")
    source = Script([batch(one, faults=(fault,)) for one in "abc"])
    sync = await begun(syncs)
    async with process(connections, clock, source, work=Flaky):
        over = await reached(syncs, sync, State.SUCCEEDED)
    assert (over.titles_kept, over.faults_total, len(source.asked)) == (3, 3, 2)
    assert await kept(connections) == ["a", "b", "c"]


async def test_a_sync_goes_on_after_all_connections_were_cut(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    async def cut() -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        await connections.execute(f"{others} AND pid <> pg_backend_pid()")

    source = Script([batch("a"), cut, batch("b")])
    sync = await begun(syncs)
    async with process(connections, clock, source):
        over = await reached(syncs, sync, State.SUCCEEDED)
    assert (over.titles_kept, await kept(connections)) == (2, ["a", "b"])


async def test_a_process_looks_for_syncs_again_once_the_database_is_back(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    class Away(Work):
        tries = 0

        async def take(self, *arguments: Any) -> Sync | None:
            self.tries += 1
            if self.tries == 1:
                raise Unavailable("Away.", reason="DATABASE_UNAVAILABLE")
            if self.tries == 2:
                raise ZeroDivisionError
            return await super().take(*arguments)

    sync = await begun(syncs)
    async with process(connections, clock, Script([batch("a")]), work=Away):
        await reached(syncs, sync, State.SUCCEEDED)


async def test_a_process_takes_no_sync_twice_that_it_has_not_let_go_of(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    work, owner, sync = Work(connections, clock, nothing), uuid4(), await begun(syncs)
    assert await work.take(owner, {sync.id}) is None
    assert await work.take(owner, ()) == replace(sync, state=State.RUNNING)
    assert await work.take(owner, {sync.id}) is None
    assert await work.take(uuid4(), ()) is None
    clock.forward(LEASE.total_seconds())
    assert await work.take(owner, {sync.id}) is None
    assert await work.take(uuid4(), ()) == replace(sync, state=State.RUNNING)
