from collections.abc import AsyncIterator
from pathlib import Path

import jwt
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import FailedPrecondition, NotFound, PermissionDenied
from scenemesh.search.v1 import catalog_pb2
from tests.service.cli.conftest import Command, rows
from tests.service.cli.fake_index import Indexes, fake_index

BEGUN = Timestamp(seconds=1_795_305_600)
NAME = "indexVersions/7"
STATE = catalog_pb2.IndexVersion.State
BUILDING = catalog_pb2.IndexVersion(name=NAME, state=STATE.STATE_BUILDING, create_time=BEGUN)
READY = catalog_pb2.IndexVersion(
    name=NAME,
    state=STATE.STATE_READY,
    active=True,
    titles=14747,
    characters=194491,
    actors=60000,
    comparison=catalog_pb2.Comparison(baseline="indexVersions/6", queries=1000, agreement=0.931),
    create_time=BEGUN,
    activate_time=Timestamp(seconds=BEGUN.seconds + 60),
    activated_by="users/olga",
)
REFUSED = catalog_pb2.IndexVersion(
    name="indexVersions/8",
    state=STATE.STATE_REFUSED,
    titles=3,
    comparison=catalog_pb2.Comparison(baseline=NAME, queries=1000, agreement=0.2),
    error="Compared with index version 7: [bold]first[/bold] answers agree to 0.20.",
    create_time=BEGUN,
)
FAILED = catalog_pb2.IndexVersion(
    name=NAME, state=STATE.STATE_FAILED, error="There is no room for the index.", create_time=BEGUN
)
WIDE = {"COLUMNS": "160"}
BUILDING_ROW = ["7", "building", "0", "0", "0", "", "2026-11-22 00:00", ""]
READY_ROW = ["7 *", "ready", "14747", "194491", "60000", "0.93", "2026-11-22 00:00", "2026-11-22 00:01 users/olga"]
REFUSED_ROW = ["8", "refused", "3", "0", "0", "0.20", "2026-11-22 00:00", ""]


@pytest.fixture
async def indexes() -> AsyncIterator[Indexes]:
    async with fake_index() as indexes:
        yield indexes


@pytest.fixture
def operators(indexes: Indexes, state: Path) -> Command:
    return Command(state, {"SCENEMESH_URL": indexes.url, **WIDE})


async def test_versions_are_a_table_with_what_is_wrong_below(operators: Command, indexes: Indexes) -> None:
    indexes.versions = [REFUSED, READY]
    ran = await operators("index", "list", "--all")
    assert (ran.code, ran.err, rows(ran.out)) == (0, "", [REFUSED_ROW, READY_ROW])
    assert [line.strip() for line in ran.out.splitlines()[-2:]] == ["* is in service", f"8: {REFUSED.error}"]
    assert {jwt.decode(token, options={"verify_signature": False})["role"] for token in indexes.tokens} == {"operator"}


async def test_on_a_narrow_terminal_a_version_is_a_list(operators: Command, indexes: Indexes) -> None:
    indexes.versions = [READY]
    ran = await operators("index", "list", COLUMNS="40")
    assert (ran.code, [line.split("  ")[-1].strip() for line in ran.out.splitlines() if line]) == (
        0,
        [*(one for one in READY_ROW if one), "* is in service"],
    )


async def test_a_page_says_that_there_are_more(operators: Command, indexes: Indexes) -> None:
    indexes.versions = [REFUSED, READY]
    ran = await operators("index", "list")
    assert (rows(ran.out), ran.err) == ([REFUSED_ROW], "There are more: --all shows them.\n")


async def test_without_a_version_there_is_no_table(operators: Command) -> None:
    ran = await operators("index", "list")
    assert (ran.code, ran.out, ran.err) == (0, "", "There is no index version yet.\n")


async def test_a_build_is_begun(operators: Command, indexes: Indexes) -> None:
    indexes.builds = [BUILDING]
    ran = await operators("index", "build")
    assert (ran.code, rows(ran.out)) == (0, [BUILDING_ROW])
    assert indexes.requests == [catalog_pb2.CreateIndexVersionRequest()]


async def test_a_build_is_waited_for(operators: Command, indexes: Indexes) -> None:
    indexes.builds = [BUILDING, BUILDING, READY]
    ran = await operators("index", "build", "--wait", "--json")
    assert (ran.code, ran.json["state"], ran.json["titles"]) == (0, "STATE_READY", "14747")


@pytest.mark.parametrize("end", [FAILED, catalog_pb2.IndexVersion(name=NAME, state=STATE.STATE_REFUSED, error="No.")])
async def test_a_build_with_a_bad_end_fails(
    operators: Command, indexes: Indexes, end: catalog_pb2.IndexVersion
) -> None:
    indexes.builds = [BUILDING, end]
    ran = await operators("index", "build", "--wait")
    assert (ran.code, ran.out.splitlines()[-1].strip()) == (1, f"7: {end.error}")


async def test_a_version_is_put_into_service(operators: Command, indexes: Indexes) -> None:
    indexes.builds = [READY]
    ran = await operators("index", "activate", "7")
    assert (ran.code, rows(ran.out)) == (0, [READY_ROW])
    assert indexes.requests == [catalog_pb2.ActivateIndexVersionRequest(name=NAME)]


@pytest.mark.parametrize("wrong", [("activate",), ("activate", "0"), ("activate", "seven"), ("list", "--nonsense")])
async def test_what_makes_no_sense_is_wrong_usage(operators: Command, indexes: Indexes, wrong: tuple[str, ...]) -> None:
    ran = await operators("index", *wrong)
    assert (ran.code, indexes.requests) == (2, [])


async def test_why_a_version_cannot_serve_is_told(operators: Command, indexes: Indexes) -> None:
    indexes.refusal = FailedPrecondition("Index version 7 cannot serve.", reason="INDEX_VERSION_UNUSABLE")
    unusable = await operators("index", "activate", "7")
    indexes.refusal = NotFound("There is no index version 9.", reason="INDEX_VERSION_NOT_FOUND")
    missing = await operators("index", "activate", "9", "--json")
    indexes.refusal = PermissionDenied("Operators only.", reason="CALLER_NOT_ALLOWED")
    forbidden = await operators("index", "list")
    assert (unusable.code, unusable.err.splitlines()) == (
        1,
        ["scenemesh: Index version 7 cannot serve.", "`scenemesh index list` shows those that are ready."],
    )
    assert (missing.code, missing.json["error"]["reason"], forbidden.code) == (1, "INDEX_VERSION_NOT_FOUND", 4)


async def test_what_a_replica_serves_is_a_table(operators: Command, indexes: Indexes) -> None:
    indexes.status = catalog_pb2.ServingStatus(
        index_version=NAME,
        load_time=BEGUN,
        degraded="Index version 8 is active, but its file is damaged.",
        queries=1000,
        cache_hits=400,
        cache_entries=321,
        p50=Duration(nanos=210_000),
        p99=Duration(nanos=1_500_000),
    )
    ran = await operators("index", "status")
    assert rows(ran.out) == [["7", "2026-11-22 00:00", "1000", "40%", "321", "0.21 ms", "1.50 ms"]]
    assert (ran.code, ran.err) == (0, f"{indexes.status.degraded}\n")
    told = (await operators("index", "status", "--json")).json
    assert (told["index_version"], told["queries"], told["p99"]) == (NAME, "1000", "0.001500s")


async def test_a_replica_that_was_asked_nothing_has_no_share(operators: Command, indexes: Indexes) -> None:
    indexes.status = catalog_pb2.ServingStatus(index_version=NAME, load_time=BEGUN)
    ran = await operators("index", "status")
    assert (rows(ran.out), ran.err) == ([["7", "2026-11-22 00:00", "0", "-", "0", "0.00 ms", "0.00 ms"]], "")
