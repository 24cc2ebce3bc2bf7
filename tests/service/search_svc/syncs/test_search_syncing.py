"""Syncs at work: what becomes of them when all goes well, and when their source does not."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from runtime.postgres import Pool
from scenemesh.events.v1 import search_pb2
from services.search_svc.domain.sync import FAULTS_KEPT_MAX, Mode, State
from services.search_svc.origins import Origins
from services.search_svc.sources.source import Fault, SourceError
from services.search_svc.store import Syncs
from services.search_svc.syncing import DEFECT
from tests.service.search_svc.syncs.script import (
    PACE,
    Clock,
    Script,
    batch,
    begun,
    done,
    kept,
    process,
    reached,
    told,
    until_true,
    wished,
)


async def test_everything_that_a_source_brings_is_kept_and_counted_and_told(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    faults = tuple(Fault(f"line {one}", "has no name") for one in range(FAULTS_KEPT_MAX))
    source = Script([batch("a", "b", faults=faults), batch("c", removed=("b", "x"), faults=(Fault("\0", "\ud800"),))])
    sync, changes = await begun(syncs), []
    async with process(connections, clock, source, changed=lambda: changes.append(1)):
        over = await reached(syncs, sync, State.SUCCEEDED)
        await until_true(lambda: bool(changes))
    assert over == replace(
        sync,
        state=State.SUCCEEDED,
        cursor={"given": 2},
        step="films",
        done=1,
        total=10,
        titles_kept=3,
        characters_kept=3,
        titles_removed=1,
        faults_total=FAULTS_KEPT_MAX + 1,
        faults=tuple((fault.place, fault.description) for fault in faults),
        ended=over.ended,
    )
    assert over.ended is not None
    assert over.ended > sync.created
    assert await kept(connections) == ["a", "c"]
    assert await wished(connections) == [sync.id]
    (event,) = await told(connections)
    data = search_pb2.CatalogSynced()
    assert event.data.Unpack(data)
    assert (event.type, event.subject) == ("catalog.synced", f"syncs/{sync.id}")
    assert data == search_pb2.CatalogSynced(source="tmdb", titles_kept=3, characters_kept=3, titles_removed=1)
    assert (source.asked, source.closed) == ([(Mode.FULL, {}, 2000, None)], 1)


async def test_a_second_sync_brings_changes_since_the_first_began(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    source = Script([batch("a", popularity={"a": 70.0})])
    async with process(connections, clock, source):
        first = await reached(syncs, await begun(syncs), State.SUCCEEDED)
        await reached(syncs, await begun(syncs, "jikan"), State.SUCCEEDED)
        second = await reached(syncs, await begun(syncs), State.SUCCEEDED)
    assert [(asked[0], asked[3]) for asked in source.asked] == [
        (Mode.FULL, None),
        (Mode.FULL, None),
        (Mode.CHANGES, first.created),
    ]
    assert (first.titles_kept, second.titles_kept) == (2, 2)


async def test_a_sync_ends_when_it_is_asked_to_however_slow_its_source_is(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    slow = Script([batch("a"), asyncio.Event().wait])
    sync = await begun(syncs)
    async with process(connections, clock, slow):
        await done(syncs, sync, 1)
        assert (await syncs.cancel(sync.id)).cancel_requested
        over = await reached(syncs, sync, State.CANCELLED)
    assert (slow.closed, over.titles_kept, over.error) == (1, 1, "")
    assert over.ended is not None
    assert await kept(connections) == ["a"]
    assert await wished(connections) == [sync.id]
    assert await told(connections) == []


async def test_a_sync_that_ended_early_goes_on_where_it_was(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    failing = Script([batch("a"), SourceError("TMDB answers 503; try again later."), batch("b")])
    sync = await begun(syncs)
    async with process(connections, clock, failing):
        failed = await reached(syncs, sync, State.FAILED)
        assert failed.error == "TMDB answers 503; try again later."
        assert await wished(connections) == [sync.id]
        failing.steps = [batch("a"), batch("b")]
        assert (await syncs.resume(sync.id)).error == ""
        over = await reached(syncs, sync, State.SUCCEEDED)
    assert [asked[1] for asked in failing.asked] == [{}, {"given": 1}]
    assert (over.titles_kept, over.error, over.mode) == (2, "", Mode.FULL)


async def test_a_sync_that_brought_nothing_wishes_for_no_index_when_it_fails(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    async with process(connections, clock, Script([SourceError("")])):
        failed = await reached(syncs, await begun(syncs), State.FAILED)
    assert failed.error
    assert await wished(connections) == []


async def test_a_defect_ends_its_sync_and_no_other(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    sources = {"tmdb": Script([batch("a"), ZeroDivisionError()]), "jikan": Script([batch("b")])}
    async with process(connections, clock, lambda sync: sources[sync.source]):
        failed = await reached(syncs, await begun(syncs), State.FAILED)
        await reached(syncs, await begun(syncs, "jikan"), State.SUCCEEDED)
        unknown = await reached(syncs, await begun(syncs, "nowhere"), State.FAILED)
    assert (failed.error, unknown.error) == (DEFECT, DEFECT)
    assert await kept(connections) == ["a", "b"]


async def test_a_source_without_its_key_fails_with_what_to_do(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    origins = Origins([], nothing)
    async with process(connections, clock, origins.source):
        failed = await reached(syncs, await begun(syncs), State.FAILED)
    assert "SCENEMESH_TMDB_KEY" in failed.error


async def test_syncs_of_different_sources_do_not_wait_for_each_other(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    slow = asyncio.Event()
    sources = {"tmdb": Script([slow.wait, batch("a")]), "jikan": Script([batch("b")])}
    async with process(connections, clock, lambda sync: sources[sync.source]):
        first = await begun(syncs)
        await reached(syncs, await begun(syncs, "jikan"), State.SUCCEEDED)
        assert (await syncs.sync(first.id)).state is State.RUNNING
        slow.set()
        await reached(syncs, first, State.SUCCEEDED)


async def test_no_more_syncs_run_at_once_than_a_process_may(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    slow, busy = asyncio.Event(), []

    async def work() -> None:
        busy.append(len(source.asked) - source.closed)
        await slow.wait()

    source = Script([work, batch("a")])
    orders = [await begun(syncs, f"file:{number}") for number in range(4)]
    async with process(connections, clock, source, replace(PACE, syncs_max=2)):
        await until_true(lambda: len(busy) == 2)
        slow.set()
        for sync in orders:
            await reached(syncs, sync, State.SUCCEEDED)
    assert max(busy) == 2


async def test_what_a_complete_source_has_no_more_is_removed_at_the_end(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    before, other = Script([batch("a", "b", "c")], complete=True), Script([batch("x")])
    async with process(connections, clock, lambda sync: other if sync.source == "jikan" else before):
        await reached(syncs, await begun(syncs), State.SUCCEEDED)
        await reached(syncs, await begun(syncs, "jikan"), State.SUCCEEDED)
        before.steps = [batch("a"), batch("d"), SourceError("No.")]
        failed = await reached(syncs, await begun(syncs, mode=Mode.FULL), State.FAILED)
        assert await kept(connections) == ["a", "b", "c", "d", "x"]
        before.steps = [batch("a"), batch("d")]
        await syncs.resume(failed.id)
        over = await reached(syncs, failed, State.SUCCEEDED)
    assert await kept(connections) == ["a", "d", "x"]
    assert (over.titles_kept, over.titles_removed) == (1, 2)


async def test_a_complete_source_that_brings_nothing_removes_nothing(
    connections: Pool, clock: Clock, syncs: Syncs
) -> None:
    source = Script([batch("a")], complete=True)
    async with process(connections, clock, source):
        await reached(syncs, await begun(syncs), State.SUCCEEDED)
        source.steps = [batch(faults=(Fault("line 1", "is empty"),))]
        failed = await reached(syncs, await begun(syncs, mode=Mode.FULL), State.FAILED)
    assert failed.error == "It brought no title that could be kept; what the catalogue had of it stays."
    assert await kept(connections) == ["a"]


async def test_a_nudge_spares_the_wait_for_the_next_poll(connections: Pool, clock: Clock, syncs: Syncs) -> None:
    source = Script([batch("a")])
    async with process(connections, clock, source, replace(PACE, poll_seconds=3600)) as syncing:
        sync = await begun(syncs)
        syncing.nudge()
        await reached(syncs, sync, State.SUCCEEDED)


def nothing(_: object) -> Any:
    raise AssertionError
