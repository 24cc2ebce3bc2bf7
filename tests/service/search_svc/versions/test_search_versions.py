import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from runtime.errors import FailedPrecondition, NotFound
from runtime.postgres import Pool
from scenemesh.events.v1.search_pb2 import IndexActivated
from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.version import Failed, Order, State
from services.search_svc.store.versions import ABANDONED, REMEMBERED_MAX
from tests.service.search_svc.versions.workshop import NOW, TITLES, Clock, Replica, Site, films

LEASE = timedelta(seconds=15)
SYNC = """
    INSERT INTO syncs (id, source, mode, titles_max, state, created_at) VALUES ($1, 'tmdb', 'full', 1, 'succeeded', $2)
"""
WISH = "INSERT INTO build_wishes (sync_id, created_at) VALUES ($1, $2)"


async def begun(replica: Replica) -> Order | None:
    return await replica.versions.begin(replica.owner, replica.clock(), LEASE)


async def synced(connections: Pool) -> UUID:
    """A sync whose titles wait for an index."""
    sync = uuid4()
    await connections.execute(SYNC, sync, NOW)
    await connections.execute(WISH, sync, NOW)
    return sync


async def version_of(connections: Pool, sync: UUID) -> int | None:
    number: int | None = await connections.fetchval("SELECT index_version FROM syncs WHERE id = $1", sync)
    return number


async def test_without_a_wish_nothing_is_built(replica: Replica) -> None:
    assert await begun(replica) is None
    assert await replica.listed() == []


async def test_several_wishes_make_one_build(replica: Replica, other: Replica) -> None:
    await replica.wish()
    await replica.wish()
    assert [await begun(one) for one in (replica, other, replica)] == [Order(1), None, None]
    assert await replica.states() == {1: State.BUILDING}


async def test_two_replicas_at_once_build_once(replica: Replica, other: Replica) -> None:
    await replica.wish()
    orders = await asyncio.gather(*(begun(one) for one in (replica, other) * 4))
    assert [order for order in orders if order is not None] == [Order(1)]
    assert await replica.states() == {1: State.BUILDING}


async def test_a_wish_during_a_build_is_for_the_next_one(replica: Replica, site: Site) -> None:
    first = await replica.built()
    await replica.wish()
    assert await begun(replica) == Order(2, 1, first.checksum)
    await replica.wish()
    finished = await replica.versions.finish(2, replica.owner, Failed("It broke."), LEASE, NOW)
    assert finished is not None
    assert (await begun(replica), await begun(replica)) == (Order(3, 1, first.checksum), None)


async def test_a_sync_says_which_version_was_built_from_it(replica: Replica, connections: Pool) -> None:
    sync = await synced(connections)
    await begun(replica)
    assert await version_of(connections, sync) == 1


async def test_an_abandoned_build_has_failed_and_is_begun_anew(
    replica: Replica, other: Replica, clock: Clock, connections: Pool
) -> None:
    sync = await synced(connections)
    await begun(replica)
    clock.pass_by(seconds=15)
    assert await begun(other) is None
    clock.pass_by(seconds=1)
    assert await begun(other) == Order(2)
    newest, abandoned = await replica.listed()
    assert (abandoned.state, abandoned.error, newest.state) == (State.FAILED, ABANDONED, State.BUILDING)
    assert await version_of(connections, sync) == 2


async def test_who_lost_a_build_can_neither_keep_nor_finish_it(replica: Replica, other: Replica, clock: Clock) -> None:
    await replica.wish()
    await begun(replica)
    assert await replica.versions.renew(1, replica.owner, clock() + LEASE)
    clock.pass_by(minutes=1)
    await begun(other)
    assert not await replica.versions.renew(1, replica.owner, clock() + LEASE)
    assert await replica.versions.finish(1, replica.owner, Failed("It broke."), LEASE, NOW) is None
    assert await replica.states() == {1: State.FAILED, 2: State.BUILDING}


async def test_a_build_that_is_to_be_done_again_is_wished_for_with_its_syncs(
    replica: Replica, connections: Pool
) -> None:
    sync = await synced(connections)
    await begun(replica)
    await replica.versions.finish(1, replica.owner, Failed("It was stopped.", again=True), LEASE, NOW)
    assert await begun(replica) == Order(2)
    assert await version_of(connections, sync) == 2


async def test_the_first_version_serves_at_once_and_others_are_told(replica: Replica, clock: Clock) -> None:
    version = await replica.built()
    assert (version.state, version.active, version.activated, version.activated_by) == (State.READY, True, NOW, "")
    assert (version.counts.titles, version.counts.characters, version.comparison) == (3, 1, None)
    (event,) = await replica.events()
    told = IndexActivated()
    assert event.data.Unpack(told)
    assert (event.type, event.subject) == ("index.activated", "indexVersions/1")
    assert told == IndexActivated(entries=4)


async def test_a_refused_version_does_not_serve_until_an_operator_overrules(replica: Replica, site: Site) -> None:
    await replica.built()
    replica.recent.record("matrix", frozenset())
    site.titles = films(["Heat", "Ronin"])
    refused = await replica.built()
    assert (refused.state, refused.active, await replica.active()) == (State.REFUSED, False, 1)
    assert refused.comparison is not None
    assert (refused.comparison.queries, refused.comparison.emptied, refused.comparison.lost_entries) == (1, 1.0, 1.0)
    assert refused.error == refused.comparison.refusal
    assert [event.subject for event in await replica.events()] == ["indexVersions/1"]
    overruled = await replica.activating.activate(2, "olga")
    assert overruled == replace(refused, state=State.READY, active=True, error="", activated=NOW, activated_by="olga")
    told = IndexActivated()
    assert (await replica.events())[-1].data.Unpack(told)
    assert told == IndexActivated(replaced="indexVersions/1", entries=2, activated_by="users/olga")


async def test_an_older_version_is_back_in_service_with_one_call(replica: Replica) -> None:
    for _ in range(2):
        await replica.built()
    replica.nudges.clear()
    assert (await replica.activating.activate(1, "olga")).active
    assert (await replica.active(), replica.nudges) == (1, ["activated"])


async def test_what_serves_already_is_not_put_into_service_again(replica: Replica) -> None:
    first = await replica.built()
    replica.nudges.clear()
    assert await replica.activating.activate(1, "olga") == first
    assert (len(await replica.events()), replica.nudges) == (1, [])


async def test_the_last_three_that_are_fit_stay_on_disk(replica: Replica) -> None:
    for _ in range(5):
        await replica.built()
    states = {1: State.REMOVED, 2: State.REMOVED, 3: State.READY, 4: State.READY, 5: State.READY}
    assert await replica.states() == states
    assert replica.on_disk() == ["3.index", "4.index", "5.index"]


async def test_the_active_version_stays_however_old_it_is(replica: Replica, site: Site) -> None:
    await replica.built()
    await replica.built()
    await replica.activating.activate(1, "olga")
    replica.recent.record("matrix", frozenset())
    site.titles = films(["Heat"])
    for _ in range(4):
        await replica.built()
    assert await replica.active() == 1
    assert replica.on_disk() == ["1.index", "2.index", "4.index", "5.index", "6.index"]


async def test_refused_versions_take_no_place_of_those_that_are_fit(replica: Replica, site: Site) -> None:
    for _ in range(3):
        await replica.built()
    replica.recent.record("matrix", frozenset())
    site.titles = films(["Heat"])
    await replica.built()
    site.titles = TITLES
    assert replica.on_disk() == ["1.index", "2.index", "3.index", "4.index"]
    await replica.built()
    assert replica.on_disk() == ["2.index", "3.index", "4.index", "5.index"]


@pytest.mark.parametrize(("state", "why"), [("building", "still being built"), ("failed", "never finished")])
async def test_what_is_not_whole_cannot_be_put_into_service(
    replica: Replica, connections: Pool, state: str, why: str
) -> None:
    await connections.execute("INSERT INTO index_versions (state, created_at) VALUES ($1, $2)", state, NOW)
    with pytest.raises(FailedPrecondition, match=why):
        await replica.activating.activate(1, "olga")
    assert await replica.active() is None


async def test_a_version_that_was_removed_cannot_be_put_into_service(replica: Replica) -> None:
    for _ in range(4):
        await replica.built()
    with pytest.raises(FailedPrecondition, match="not on disk any more") as refused:
        await replica.activating.activate(1, "olga")
    assert refused.value.reason == "INDEX_VERSION_UNUSABLE"


async def test_a_version_that_never_was_is_not_found(replica: Replica) -> None:
    with pytest.raises(NotFound) as refused:
        await replica.activating.activate(10**18 - 1, "olga")
    assert refused.value.reason == "INDEX_VERSION_NOT_FOUND"


async def test_a_build_on_demand_is_the_one_under_way_or_a_new_one(replica: Replica) -> None:
    created = await replica.versions.create(NOW)
    assert (created.number, created.state) == (1, State.BUILDING)
    assert await replica.versions.create(NOW) == created
    assert await replica.building.turn()
    assert await replica.states() == {1: State.READY}
    assert (await replica.versions.create(NOW)).number == 2


async def test_what_failed_long_ago_is_forgotten(replica: Replica, connections: Pool) -> None:
    many = "INSERT INTO index_versions (state, created_at) SELECT 'failed', $1 FROM generate_series(1, $2)"
    await connections.execute(many, NOW, REMEMBERED_MAX + 5)
    await replica.built()
    assert len(await replica.listed()) == REMEMBERED_MAX + 1


async def test_a_removed_version_is_forgotten_with_its_activations(replica: Replica, connections: Pool) -> None:
    for _ in range(4):
        await replica.built()
    many = "INSERT INTO index_versions (state, created_at) SELECT 'failed', $1 FROM generate_series(1, $2)"
    await connections.execute(many, NOW, REMEMBERED_MAX)
    await replica.built()
    assert 1 not in await replica.states()
    kept = await connections.fetch("SELECT version FROM index_activations ORDER BY id")
    assert [row["version"] for row in kept] == [3, 4, REMEMBERED_MAX + 5]


async def test_versions_come_in_pages_newest_first(replica: Replica) -> None:
    for _ in range(3):
        await replica.built()
    assert [one.number for one in await replica.versions.page(None, 2)] == [3, 2]
    assert [one.number for one in await replica.versions.page(2, 2)] == [1]


async def test_recent_queries_of_all_replicas_are_replayed(replica: Replica, other: Replica, site: Site) -> None:
    await replica.built()
    replica.recent.record("matrix", frozenset())
    other.recent.record("akira", frozenset())
    await other.recent.flush()
    version = await replica.built()
    assert version.comparison is not None
    assert (version.comparison.queries, version.comparison.agreement, version.state) == (2, 1.0, State.READY)
    assert await replica.recent.latest() == [Asked("matrix"), Asked("akira")]
