import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.errors import Aborted
from scenemesh.search.v1 import catalog_pb2
from tests.service.cli.conftest import Command
from tests.service.cli.fake_syncs import NAME, Syncs, fake_syncs

CONTENT = b"name,year\n" + b"Up,2009\n" * 20_000
QUEUED = catalog_pb2.Sync(name=NAME, source=catalog_pb2.SOURCE_FILE, state=catalog_pb2.Sync.STATE_QUEUED)
SUCCEEDED = catalog_pb2.Sync(name=NAME, source=catalog_pb2.SOURCE_FILE, state=catalog_pb2.Sync.STATE_SUCCEEDED)
CSV = catalog_pb2.ImportCatalogRequest.FORMAT_CSV
JSONL = catalog_pb2.ImportCatalogRequest.FORMAT_JSONL


@pytest.fixture
async def syncs() -> AsyncIterator[Syncs]:
    async with fake_syncs() as syncs:
        syncs.states = (QUEUED, SUCCEEDED)
        yield syncs


@pytest.fixture
def sync(state: Path, syncs: Syncs) -> Command:
    """The command, for an edge that has syncs alone."""
    return Command(state, {"SCENEMESH_URL": syncs.url})


@pytest.mark.parametrize(
    ("name", "options", "collection", "form"),
    [
        ("My Films (2026).csv", (), "my-films-2026", CSV),
        ("films.csv.gz", (), "films", CSV),
        ("films.NDJSON", (), "films", JSONL),
        ("films.txt.gz", ("--format", "jsonl", "--collection", "other"), "other", JSONL),
    ],
)
async def test_a_file_is_sent_as_it_is(
    sync: Command,
    syncs: Syncs,
    tmp_path: Path,
    name: str,
    options: tuple[str, ...],
    collection: str,
    form: catalog_pb2.ImportCatalogRequest.Format,
) -> None:
    content = gzip.compress(CONTENT) if name.endswith(".gz") else CONTENT
    (tmp_path / name).write_bytes(content)
    ran = await sync("sync", "file", str(tmp_path / name), *options, "--json")
    assert (ran.code, ran.err, ran.json["state"]) == (0, "", "STATE_SUCCEEDED")
    header = catalog_pb2.ImportCatalogRequest.Header(
        collection=collection, format=form, gzip=name.endswith(".gz"), request_id=syncs.requests[0].request_id
    )
    assert syncs.uploads == [(header, content)]


async def test_an_upload_has_a_bar(sync: Command, tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_bytes(CONTENT)
    ran = await sync("sync", "file", str(tmp_path / "films.csv"), TTY_COMPATIBLE="1", TERM="xterm")
    assert (ran.code, f"{len(CONTENT)}/{len(CONTENT)}" in ran.err) == (0, True)


async def test_a_refusal_in_the_middle_of_an_upload_is_told(sync: Command, syncs: Syncs, tmp_path: Path) -> None:
    syncs.refusal = Aborted("Another sync of this collection is not over.", reason="SYNC_RUNNING")
    (tmp_path / "films.csv").write_bytes(CONTENT * 50)
    ran = await sync("sync", "file", str(tmp_path / "films.csv"), HEARD_SECONDS="60")
    assert (ran.code, ran.out, ran.err.splitlines()) == (
        1,
        "",
        [
            "scenemesh: Another sync of this collection is not over.",
            "`scenemesh sync list` shows it; wait for it, or cancel it.",
        ],
    )


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("none.csv", (), "{path} cannot be read: No such file or directory."),
        ("folder.csv", (), "{path} is not a file."),
        ("empty.csv", (), "{path} is empty."),
        ("huge.csv", (), "{path} has 268,435,457 bytes; 268,435,456 are the most."),
        ("films.txt", (), "The name of {path} does not say whether it is CSV or JSONL."),
        (
            "映画.csv",
            (),
            "'' cannot be a collection: at most 60 lower-case letters, digits and single hyphens between them.",
        ),
        (
            "films.csv",
            ("--collection", "My Films"),
            "'My Films' cannot be a collection: at most 60 lower-case letters, digits and single hyphens between them.",
        ),
    ],
)
async def test_a_path_that_is_of_no_use_is_told_before_anything_is_sent(
    sync: Command, syncs: Syncs, tmp_path: Path, name: str, options: tuple[str, ...], told: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "empty.csv").touch()
    with (tmp_path / "huge.csv").open("wb") as sparse:
        sparse.truncate(256 * 1024**2 + 1)
    path = tmp_path / name
    ran = await sync("sync", "file", str(path), *options)
    assert (ran.code, ran.err.splitlines()[0]) == (2, f"scenemesh: {told.format(path=path)}")
    assert syncs.requests == []
