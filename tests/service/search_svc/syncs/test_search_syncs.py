"""The RPCs that bring titles in, as an operator calls them."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc
import pytest

from runtime import pages
from runtime.postgres import Pool
from runtime.status import error_info
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc
from services.search_svc.origins import Origins
from services.search_svc.servicer.catalog import SERVICE
from services.search_svc.servicer.syncs import SyncRpcs
from services.search_svc.store import Syncs, Uploads
from services.search_svc.store.uploads import PIECE_BYTES
from tests.harness.serving import served
from tests.service.search_svc.syncs.script import Clock, Script, batch, kept, process, until

if TYPE_CHECKING:
    from scenemesh.search.v1.catalog_pb2_grpc import CatalogServiceAsyncStub as Stub

BYTES_MAX = 3 * PIECE_BYTES
OPERATOR = (("x-user-id", "root"), ("x-user-role", "operator"))
FILE = b"type,id,name,kind,year\ntitle,1,Solaris,film,1972\ntitle,2,Stalker,film,1979\n"

Part = catalog_pb2.ImportCatalogRequest


class Servicer(SyncRpcs, catalog_pb2_grpc.CatalogServiceServicer):
    """The service without its index versions."""


@pytest.fixture
def uploads(connections: Pool, clock: Clock) -> Uploads:
    return Uploads(connections, clock, bytes_max=BYTES_MAX)


@pytest.fixture
async def stub(certificates: Path, connections: Pool, clock: Clock, uploads: Uploads) -> AsyncIterator[Stub]:
    """A service with Jikan and without a key for TMDB, where nobody works at syncs."""
    origins = Origins([Script(name="jikan")], uploads.chunks)
    servicer = Servicer(Syncs(connections, clock), uploads, origins, lambda: None)  # type: ignore[abstract]
    register = partial(catalog_pb2_grpc.add_CatalogServiceServicer_to_server, servicer)
    async with served(certificates, "search", register, SERVICE) as dial:
        yield catalog_pb2_grpc.CatalogServiceStub(dial("edge"))


def order(**more: Any) -> catalog_pb2.SyncCatalogRequest:
    return catalog_pb2.SyncCatalogRequest(
        **{"source": catalog_pb2.SOURCE_JIKAN, "request_id": str(uuid4()), "titles_max": 7, **more}
    )


async def begun(stub: Stub, request: catalog_pb2.SyncCatalogRequest | None = None) -> catalog_pb2.Sync:
    return await stub.SyncCatalog(request or order(), metadata=OPERATOR)


def header(**more: Any) -> Part:
    told = {"collection": "mine", "format": Part.FORMAT_CSV, "request_id": str(uuid4()), **more}
    return Part(header=Part.Header(**told))


def pieces(content: bytes, size: int = 65536) -> list[Part]:
    return [Part(chunk=content[start : start + size]) for start in range(0, len(content), size)]


async def imported(stub: Stub, parts: Iterable[Part]) -> catalog_pb2.Sync:
    return await stub.ImportCatalog(iter(list(parts)), metadata=OPERATOR)


async def gotten(stub: Stub, name: str) -> catalog_pb2.Sync:
    return await stub.GetSync(catalog_pb2.GetSyncRequest(name=name), metadata=OPERATOR)


async def cancelled(stub: Stub, name: str) -> catalog_pb2.Sync:
    return await stub.CancelSync(catalog_pb2.CancelSyncRequest(name=name), metadata=OPERATOR)


async def resumed(stub: Stub, name: str) -> catalog_pb2.Sync:
    return await stub.ResumeSync(catalog_pb2.ResumeSyncRequest(name=name), metadata=OPERATOR)


async def over(stub: Stub, sync: catalog_pb2.Sync) -> catalog_pb2.Sync:
    """The sync once nobody works at it any more."""

    async def ended() -> bool:
        return (await gotten(stub, sync.name)).HasField("end_time")

    await until(ended)
    return await gotten(stub, sync.name)


async def refused(call: Any) -> tuple[str, str, dict[str, str]]:
    """The code, the reason and the metadata of the refusal that the call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    info = error_info(refusal.value)
    return refusal.value.code().name, info.reason, dict(info.metadata)


async def chunks_kept(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM sync_chunks"))


async def syncs_kept(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM syncs"))


async def test_a_sync_that_is_asked_for_waits_to_be_taken_up(stub: Stub) -> None:
    request = order()
    sync = await begun(stub, request)
    assert sync == catalog_pb2.Sync(
        name=f"syncs/{request.request_id}",
        source=catalog_pb2.SOURCE_JIKAN,
        mode=catalog_pb2.MODE_FULL,
        state=catalog_pb2.Sync.STATE_QUEUED,
        create_time=sync.create_time,
    )
    assert sync.HasField("create_time")
    assert await gotten(stub, sync.name) == sync


async def test_one_request_id_begins_one_sync_however_often_it_comes(stub: Stub, connections: Pool) -> None:
    request = order()
    answers = await asyncio.gather(*(begun(stub, request) for _ in range(5)))
    assert [answer.name for answer in answers] == [f"syncs/{request.request_id}"] * 5
    assert await syncs_kept(connections) == 1
    reused = await refused(begun(stub, order(request_id=request.request_id, titles_max=8)))
    assert reused == ("ALREADY_EXISTS", "REQUEST_ID_REUSED", {"request_id": request.request_id})


async def test_of_two_syncs_of_one_source_at_once_one_is_told_of_the_other(stub: Stub, connections: Pool) -> None:
    outcomes = await asyncio.gather(*(begun(stub) for _ in range(5)), return_exceptions=True)
    (sync,) = [one for one in outcomes if isinstance(one, catalog_pb2.Sync)]
    assert await syncs_kept(connections) == 1
    assert await refused(begun(stub)) == ("ABORTED", "SYNC_RUNNING", {"sync": sync.name})
    await cancelled(stub, sync.name)
    assert (await begun(stub)).state == catalog_pb2.Sync.STATE_QUEUED


async def test_a_source_without_its_key_is_refused_with_what_to_do(stub: Stub) -> None:
    call = begun(stub, order(source=catalog_pb2.SOURCE_TMDB))
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await call
    assert error_info(refusal.value).reason == "SOURCE_NOT_CONFIGURED"
    assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    details = refusal.value.details() or ""
    assert "SCENEMESH_TMDB_KEY" in details
    assert "goes on serving" in details


async def test_only_operators_bring_titles_in(stub: Stub) -> None:
    person = (("x-user-id", "ann"),)
    calls = [
        stub.SyncCatalog(order(), metadata=person),
        stub.ImportCatalog(iter([header(), Part(chunk=b"x")]), metadata=person),
        stub.ListSyncs(catalog_pb2.ListSyncsRequest(), metadata=person),
    ]
    assert {(await refused(call))[0] for call in calls} == {"PERMISSION_DENIED"}


@pytest.mark.parametrize(
    "broken",
    [
        {"source": catalog_pb2.SOURCE_FILE},
        {"source": 99},
        {"mode": 99},
        {"titles_max": -1},
        {"titles_max": 100_001},
        {"request_id": "x"},
        {"request_id": ""},
    ],
    ids=str,
)
async def test_a_request_that_breaks_a_rule_is_refused(stub: Stub, broken: dict[str, Any]) -> None:
    assert (await refused(begun(stub, order(**broken))))[:2] == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")


async def test_a_sync_that_there_is_not_is_not_found(stub: Stub) -> None:
    name = f"syncs/{uuid4()}"
    for call in (gotten(stub, name), cancelled(stub, name), resumed(stub, name)):
        assert await refused(call) == ("NOT_FOUND", "SYNC_NOT_FOUND", {"sync": name})


async def test_a_cancelled_sync_stays_so_until_it_is_resumed(stub: Stub) -> None:
    sync = await begun(stub)
    ended = await cancelled(stub, sync.name)
    assert (ended.state, ended.HasField("end_time")) == (catalog_pb2.Sync.STATE_CANCELLED, True)
    assert await cancelled(stub, sync.name) == ended
    assert await resumed(stub, sync.name) == sync
    assert await resumed(stub, sync.name) == sync


async def test_a_sync_is_not_resumed_while_another_of_its_source_is_live(stub: Stub) -> None:
    first = await begun(stub)
    await cancelled(stub, first.name)
    second = await begun(stub)
    assert await refused(resumed(stub, first.name)) == ("ABORTED", "SYNC_RUNNING", {"sync": second.name})


async def test_a_sync_that_succeeded_has_nothing_left_to_do(stub: Stub, connections: Pool, clock: Clock) -> None:
    sync = await begun(stub)
    async with process(connections, clock, Script([batch("a")])):
        ended = await over(stub, sync)
    assert ended.state == catalog_pb2.Sync.STATE_SUCCEEDED
    assert await cancelled(stub, sync.name) == ended
    assert await refused(resumed(stub, sync.name)) == ("FAILED_PRECONDITION", "SYNC_SUCCEEDED", {"sync": sync.name})


async def test_syncs_are_listed_in_pages_newest_first(stub: Stub) -> None:
    names = []
    for _ in range(5):
        sync = await begun(stub)
        names.append(sync.name)
        await cancelled(stub, sync.name)
    listed, token, sizes = [], "", []
    while True:
        request = catalog_pb2.ListSyncsRequest(page_size=2, page_token=token)
        page = await stub.ListSyncs(request, metadata=OPERATOR)
        listed += [sync.name for sync in page.syncs]
        sizes.append(len(page.syncs))
        token = page.next_page_token
        if not token:
            break
    assert (listed, sizes) == (names[::-1], [2, 2, 1])


@pytest.mark.parametrize(
    "token", ["x", pages.token("other", ["a", "b"]), pages.token("syncs", ["9", "9"]), pages.token("syncs", ["9"])]
)
async def test_a_page_token_of_something_else_is_refused(stub: Stub, token: str) -> None:
    call = stub.ListSyncs(catalog_pb2.ListSyncsRequest(page_token=token), metadata=OPERATOR)
    assert (await refused(call))[:2] == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")


async def test_a_file_is_brought_in_as_it_was_sent_and_not_kept_longer_than_needed(
    stub: Stub, connections: Pool, clock: Clock, uploads: Uploads
) -> None:
    sync = await imported(stub, [header(gzip=True), *pieces(gzip.compress(FILE), 5)])
    assert (sync.source, sync.collection, sync.mode) == (
        catalog_pb2.SOURCE_FILE,
        "mine",
        catalog_pb2.MODE_FULL,
    )
    async with process(connections, clock, Origins([], uploads.chunks).source):
        ended = await over(stub, sync)
    assert (ended.state, ended.error, ended.titles_kept) == (catalog_pb2.Sync.STATE_SUCCEEDED, "", 2)
    assert len(await kept(connections)) == 2
    assert await chunks_kept(connections) == 0


async def test_a_file_larger_than_one_piece_comes_back_byte_for_byte(
    stub: Stub, connections: Pool, clock: Clock, uploads: Uploads
) -> None:
    content = bytes(range(256)) * (BYTES_MAX // 256)
    request = header()
    await imported(stub, [request, *pieces(content)])
    syncs = await connections.fetch("SELECT id FROM syncs")
    assert b"".join([chunk async for chunk in uploads.chunks(syncs[0]["id"])]) == content


async def test_a_second_upload_of_one_request_id_begins_nothing(stub: Stub, connections: Pool) -> None:
    request = header()
    sync = await imported(stub, [request, *pieces(FILE)])
    assert await imported(stub, [request, *pieces(b"something else entirely")]) == sync
    assert await chunks_kept(connections) == 1
    other = header(request_id=request.header.request_id, gzip=True)
    assert (await refused(imported(stub, [other, *pieces(FILE)])))[1] == "REQUEST_ID_REUSED"


async def test_a_collection_takes_one_file_at_a_time(stub: Stub, connections: Pool) -> None:
    outcomes = await asyncio.gather(
        *(imported(stub, [header(), *pieces(FILE)]) for _ in range(4)), return_exceptions=True
    )
    (sync,) = [one for one in outcomes if isinstance(one, catalog_pb2.Sync)]
    running = ("ABORTED", "SYNC_RUNNING", {"sync": sync.name})
    assert await refused(imported(stub, [header(), *pieces(FILE)])) == running
    assert (await imported(stub, [header(collection="other"), *pieces(FILE)])).collection == "other"
    assert (await syncs_kept(connections), await chunks_kept(connections)) == (2, 2)


# What gRPC may tell a client that it cuts off in the middle of a request, instead of why the server did.
CUT, UPLOADS_MAX = ("INTERNAL", ""), 5


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header()], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        (pieces(FILE), ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([*pieces(FILE), header()], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(), *pieces(FILE), header()], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(), Part()], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(), Part(chunk=b"x" * 65537)], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(collection="../x"), *pieces(FILE)], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(collection="tmdb"), *pieces(FILE)], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(format=0), *pieces(FILE)], ("INVALID_ARGUMENT", "INVALID_ARGUMENT")),
        ([header(), *pieces(b"x" * (BYTES_MAX + 1))], ("RESOURCE_EXHAUSTED", "FILE_TOO_LARGE")),
    ],
    ids=[
        "nothing",
        "empty",
        "headless",
        "header last",
        "two headers",
        "no part",
        "piece",
        "name",
        "reserved",
        "format",
        "large",
    ],
)
async def test_an_upload_that_is_refused_leaves_nothing(
    stub: Stub, connections: Pool, parts: list[Part], reason: tuple[str, str]
) -> None:
    for _ in range(UPLOADS_MAX):
        told = (await refused(imported(stub, parts)))[:2]
        if told != CUT:
            break
    assert told == reason
    assert (await syncs_kept(connections), await chunks_kept(connections)) == (0, 0)


async def test_an_upload_that_is_cut_off_leaves_nothing(stub: Stub, connections: Pool) -> None:
    request = header()
    call = stub.ImportCatalog(metadata=OPERATOR)
    await call.write(request)
    for part in pieces(b"x" * (2 * PIECE_BYTES)):
        await call.write(part)

    async def under_way() -> bool:
        return bool(await connections.fetchval("SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'"))

    await until(under_way)
    call.cancel()
    # The same request can come again at once: nothing of the first one is in its way.
    sync = await imported(stub, [request, *pieces(FILE)])
    assert (sync.name, await syncs_kept(connections), await chunks_kept(connections)) == (
        f"syncs/{request.header.request_id}",
        1,
        1,
    )


async def test_a_sync_that_is_under_way_is_not_held_up_by_an_upload(stub: Stub, connections: Pool) -> None:
    call = stub.ImportCatalog(metadata=OPERATOR)
    await call.write(header(collection="slow"))
    await call.write(Part(chunk=b"x"))
    sync = await imported(stub, [header(collection="slow"), *pieces(FILE)])
    await call.done_writing()
    assert await refused(call) == ("ABORTED", "SYNC_RUNNING", {"sync": sync.name})
    assert (await syncs_kept(connections), await chunks_kept(connections)) == (1, 1)


async def test_a_newer_file_takes_the_place_of_one_that_failed(
    stub: Stub, connections: Pool, clock: Clock, uploads: Uploads
) -> None:
    first = await imported(stub, [header(), *pieces(b"no,such,columns\n1,2,3\n")])
    async with process(connections, clock, Origins([], uploads.chunks).source):
        failed = await over(stub, first)
        assert (failed.state, await chunks_kept(connections)) == (catalog_pb2.Sync.STATE_FAILED, 1)
        await over(stub, await imported(stub, [header(), *pieces(FILE)]))
        assert await chunks_kept(connections) == 0
        await resumed(stub, first.name)
        again = await over(stub, first)
    assert again.error == "The file is not kept any more, a newer one took its place. Upload it again."
    assert len(await kept(connections)) == 2
