import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import jwt
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from runtime.errors import FailedPrecondition, NotFound, Unavailable
from scenemesh.search.v1 import catalog_pb2
from tests.service.cli.conftest import WAIT_SECONDS, Command, rows
from tests.service.cli.fake_syncs import NAME, VERSION, Syncs, fake_syncs

BEGUN = Timestamp(seconds=1_795_305_600)
QUEUED = catalog_pb2.Sync(
    name=NAME,
    source=catalog_pb2.SOURCE_TMDB,
    mode=catalog_pb2.MODE_FULL,
    state=catalog_pb2.Sync.STATE_QUEUED,
    create_time=BEGUN,
)
FAULTS = [catalog_pb2.Sync.Fault(place=f"line {n}", description="There is no name.") for n in range(2, 14)]
WIDE = {"COLUMNS": "200"}


def at(name: str, **fields: object) -> catalog_pb2.Sync:
    sync = catalog_pb2.Sync(state=catalog_pb2.Sync.State.Value(f"STATE_{name}"), **fields)  # type: ignore[arg-type]
    whole = catalog_pb2.Sync()
    whole.CopyFrom(QUEUED)
    whole.MergeFrom(sync)
    return whole


RUNNING = at("RUNNING", step="credits", done=5, total=20)
SUCCEEDED = at(
    "SUCCEEDED",
    titles_kept=14747,
    characters_kept=194491,
    titles_removed=3,
    index_version=VERSION,
    end_time=Timestamp(seconds=BEGUN.seconds + 60),
)
FAILED = at("FAILED", error="TMDB answers 401: is the key right?")


@pytest.fixture
async def syncs() -> AsyncIterator[Syncs]:
    async with fake_syncs() as syncs:
        yield syncs


@pytest.fixture
def sync(state: Path, syncs: Syncs) -> Command:
    """The command, for an edge that has syncs alone."""
    return Command(state, {"SCENEMESH_URL": syncs.url})


async def test_a_sync_is_started_and_watched_to_its_end(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED, RUNNING, SUCCEEDED)
    syncs.index_versions = [catalog_pb2.IndexVersion(name=VERSION, active=True)]
    ran = await sync("sync", "tmdb", "--full", "--titles-max", "50")
    assert (ran.code, ran.out, ran.err) == (
        0,
        (
            f"{NAME} succeeded: 14,747 titles and 194,491 characters were added or changed, 3 titles removed.\n"
            f"{VERSION} was built from it, and is in service.\n"
        ),
        "",
    )
    request = catalog_pb2.SyncCatalogRequest(
        source=catalog_pb2.SOURCE_TMDB,
        mode=catalog_pb2.MODE_FULL,
        titles_max=50,
        request_id=syncs.requests[0].request_id,
    )
    assert syncs.requests == [request, *[catalog_pb2.GetSyncRequest(name=NAME)] * 2]
    assert jwt.decode(syncs.tokens[0], options={"verify_signature": False})["role"] == "operator"


async def test_a_terminal_gets_a_bar_for_each_step(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED, RUNNING, SUCCEEDED)
    ran = await sync("sync", "jikan", TTY_COMPATIBLE="1", TERM="xterm")
    assert ran.code == 0
    assert "waiting" in ran.err
    assert "credits" in ran.err
    assert "5/20" in ran.err


@pytest.mark.parametrize(
    ("version", "told"),
    [
        ({}, "A new index version will be built from it; `scenemesh index list` shows it."),
        ({"state": "STATE_BUILDING"}, f"{VERSION} is being built from it; `scenemesh index list` shows it."),
        ({"state": "STATE_REFUSED", "error": "Too slow."}, f"{VERSION} was built from it and is refused: Too slow."),
        ({"state": "STATE_READY"}, f"{VERSION} was built from it and is ready."),
    ],
)
async def test_it_is_told_what_became_of_the_index(
    sync: Command, syncs: Syncs, version: dict[str, str], told: str
) -> None:
    syncs.states = (SUCCEEDED,)
    syncs.index_versions = [catalog_pb2.IndexVersion(name=VERSION, **version)] if version else []  # type: ignore[arg-type]
    ran = await sync("sync", "tmdb", "--changes")
    assert ran.out.splitlines()[1] == told
    assert syncs.requests[0].mode == catalog_pb2.MODE_CHANGES


async def test_faults_are_shown_as_far_as_they_fit(sync: Command, syncs: Syncs) -> None:
    whole = at("SUCCEEDED", index_version=VERSION, faults=FAULTS, faults_total=1234)
    syncs.states = (whole,)
    ran = await sync("sync", "tmdb")
    assert rows(ran.out) == [[f"line {n}", "There is no name."] for n in range(2, 12)]
    assert "and 1,224 more" in ran.out
    shown = await sync("sync", "show", NAME)
    assert rows(shown.out)[-12:] == [[f"line {n}", "There is no name."] for n in range(2, 14)]
    assert "and 1,222 more" in shown.out


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (FAILED, "scenemesh: TMDB answers 401: is the key right?"),
        (
            at("CANCELLED", titles_kept=2),
            (
                f"scenemesh: {NAME} cancelled: 2 titles and 0 characters were added or changed, 0 titles removed. "
                "What it brought stays."
            ),
        ),
    ],
    ids=["failed", "cancelled"],
)
async def test_a_sync_that_does_not_succeed_is_a_failure(
    sync: Command, syncs: Syncs, end: catalog_pb2.Sync, told: str
) -> None:
    syncs.states = (RUNNING, end)
    ran = await sync("sync", "resume", NAME.removeprefix("syncs/"))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines() == [told, f"`scenemesh sync resume {NAME}` goes on from where it was."]
    assert syncs.requests[0] == catalog_pb2.ResumeSyncRequest(name=NAME)


async def test_programs_get_the_last_state_alone(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED, RUNNING, FAILED)
    ran = await sync("sync", "tmdb", "--json")
    assert (ran.code, ran.err, ran.json["state"], ran.json["error"]) == (1, "", "STATE_FAILED", FAILED.error)
    syncs.states = (QUEUED, SUCCEEDED)
    ran = await sync("sync", "tmdb", "--json")
    assert (ran.code, ran.err, ran.json["titles_kept"]) == (0, "", "14747")


async def test_it_may_be_started_alone(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED,)
    ran = await sync("sync", "tmdb", "--detach")
    told = f"{NAME} goes on: `scenemesh sync show {NAME}` looks at it, `scenemesh sync cancel {NAME}` ends it.\n"
    assert (ran.code, ran.out, ran.err) == (0, told, "")
    ran = await sync("sync", "tmdb", "--detach", "--json")
    assert (ran.code, ran.json["state"]) == (0, "STATE_QUEUED")


async def test_ctrl_c_stops_the_watching_alone(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED, RUNNING)
    process = await sync.start("sync", "tmdb")
    async with asyncio.timeout(WAIT_SECONDS):
        while len(syncs.requests) < 2:
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    told = f"{NAME} goes on: `scenemesh sync show {NAME}` looks at it, `scenemesh sync cancel {NAME}` ends it.\n"
    assert (process.returncode, out, err.decode()) == (130, b"", told)
    assert all(not isinstance(request, catalog_pb2.CancelSyncRequest) for request in syncs.requests)


async def test_a_short_absence_of_the_service_does_not_end_the_watching(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED, Unavailable("No database.", reason="DATABASE_UNAVAILABLE"), SUCCEEDED)
    ran = await sync("sync", "tmdb")
    assert ran.code == 0


async def test_a_watching_that_fails_says_that_the_sync_goes_on(sync: Command, syncs: Syncs) -> None:
    syncs.states = (QUEUED, grpc.StatusCode.PERMISSION_DENIED)
    ran = await sync("sync", "tmdb")
    assert (ran.code, ran.err.splitlines()[1].split(":")[0]) == (4, f"{NAME} goes on")


async def test_a_source_without_a_key_is_told(sync: Command, syncs: Syncs) -> None:
    syncs.refusal = FailedPrecondition("TMDB needs a key.", reason="SOURCE_NOT_CONFIGURED")
    ran = await sync("sync", "tmdb")
    assert (ran.code, ran.out, ran.err) == (1, "", "scenemesh: TMDB needs a key.\n")


async def test_syncs_are_listed_and_shown(sync: Command, syncs: Syncs) -> None:
    syncs.states = (state_of_a_file := at("RUNNING", step="rows", done=5000), SUCCEEDED)
    state_of_a_file.source, state_of_a_file.collection = catalog_pb2.SOURCE_FILE, "films"
    first = [NAME, "file films", "running: rows, 5,000", "0", "0", "0", "0", "2026-11-22 00:00", ""]
    second = [NAME, "tmdb", "succeeded", "14,747", "194,491", "3", "0", "2026-11-22 00:00", "2026-11-22 00:01"]
    ran = await sync("sync", "list", **WIDE)
    assert (rows(ran.out), ran.err) == ([first], "There are more: --all shows them.\n")
    assert rows((await sync("sync", "list", "--all", **WIDE)).out) == [first, second]
    assert len((await sync("sync", "list", "--all", "--json")).json["syncs"]) == 2
    shown = rows((await sync("sync", "show", NAME, **WIDE)).out)
    assert shown[:4] == [["Sync", NAME], ["From", "file films"], ["Mode", "full"], ["State", "running: rows, 5,000"]]


async def test_no_sync_is_an_answer(sync: Command, syncs: Syncs) -> None:
    ran = await sync("sync", "list")
    assert (ran.code, ran.out, ran.err) == (0, "", "There was no sync yet.\n")
    syncs.refusal = NotFound("There is no such sync.", reason="SYNC_NOT_FOUND")
    ran = await sync("sync", "show", NAME)
    hint = "`scenemesh sync list` shows those that there are."
    assert (ran.code, ran.err.splitlines()) == (1, ["scenemesh: There is no such sync.", hint])


async def test_a_sync_is_asked_to_end(sync: Command, syncs: Syncs) -> None:
    syncs.states = (RUNNING, SUCCEEDED)
    running = await sync("sync", "cancel", NAME)
    over = await sync("sync", "cancel", NAME, "--json")
    again = await sync("sync", "cancel", NAME)
    assert (running.code, running.out) == (0, f"{NAME} ends within seconds.\n")
    assert over.json["state"] == "STATE_SUCCEEDED"
    assert again.out == f"{NAME} is over: succeeded.\n"
    assert syncs.requests == [catalog_pb2.CancelSyncRequest(name=NAME)] * 3
