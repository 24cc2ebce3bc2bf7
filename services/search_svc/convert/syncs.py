"""Syncs as the contract says them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.search.v1 import catalog_pb2
from services.search_svc.domain.sync import FILE_PREFIX, TITLES_MAX_DEFAULT, Format, Mode, Order, State, Sync, Upload

PAGE_SIZE_DEFAULT = 20
SCOPE = "syncs"

SOURCES = {"tmdb": catalog_pb2.SOURCE_TMDB, "jikan": catalog_pb2.SOURCE_JIKAN}
SOURCES_FROM_PROTO = {number: source for source, number in SOURCES.items()}
# Ids of a collection begin with its name, and so do those of the sources on the web.
RESERVED = frozenset({"tmdb", "mal", "jikan"})
MODES = {Mode.FULL: catalog_pb2.MODE_FULL, Mode.CHANGES: catalog_pb2.MODE_CHANGES}
MODES_FROM_PROTO = {number: mode for mode, number in MODES.items()}
STATES = {
    State.QUEUED: catalog_pb2.Sync.STATE_QUEUED,
    State.RUNNING: catalog_pb2.Sync.STATE_RUNNING,
    State.SUCCEEDED: catalog_pb2.Sync.STATE_SUCCEEDED,
    State.FAILED: catalog_pb2.Sync.STATE_FAILED,
    State.CANCELLED: catalog_pb2.Sync.STATE_CANCELLED,
}
FORMATS_FROM_PROTO = {
    catalog_pb2.ImportCatalogRequest.FORMAT_CSV: Format.CSV,
    catalog_pb2.ImportCatalogRequest.FORMAT_JSONL: Format.JSONL,
}


def order_from_proto(request: catalog_pb2.SyncCatalogRequest) -> Order:
    return Order(
        id=UUID(request.request_id),
        source=SOURCES_FROM_PROTO[request.source],
        mode=MODES_FROM_PROTO.get(request.mode),
        titles_max=request.titles_max or TITLES_MAX_DEFAULT,
    )


async def upload_from_proto(requests: AsyncIterator[catalog_pb2.ImportCatalogRequest]) -> Order:
    """What is uploaded, from the first message. INVALID_ARGUMENT when that is no header, or its collection is ours."""
    async for first in requests:
        if first.WhichOneof("part") == "header":
            if first.header.collection in RESERVED:
                raise _fault("header.collection", "the ids of a source on the web begin with it; choose another one")
            upload = Upload(FORMATS_FROM_PROTO[first.header.format], first.header.gzip)
            source = f"{FILE_PREFIX}{first.header.collection}"
            return Order(UUID(first.header.request_id), source, Mode.FULL, upload=upload)
        break
    raise _fault("header", "the first message must be the header")


async def chunks_from_proto(requests: AsyncIterator[catalog_pb2.ImportCatalogRequest]) -> AsyncIterator[bytes]:
    """The file's pieces, from all messages after the first. INVALID_ARGUMENT when one is no piece."""
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise _fault("header", "stands in the first message alone")
        yield request.chunk


def id_from_name(name: str) -> UUID:
    """The id in `syncs/{uuid}`."""
    return UUID(name.split("/")[1])


def before_from_proto(request: catalog_pb2.ListSyncsRequest) -> tuple[datetime, UUID] | None:
    """The sync that the page goes on after; None for the first page."""
    position = pages.position(SCOPE, request.page_token, 2)
    if position is None:
        return None
    try:
        return datetime.fromisoformat(position[0]).astimezone(UTC), UUID(position[1])
    except (ValueError, OverflowError) as error:
        raise _fault("page_token", "is not the next_page_token of this query") from error


def page_to_proto(syncs: Sequence[Sync], page_size: int) -> catalog_pb2.ListSyncsResponse:
    """One page of `syncs`, which hold one more than the page when there is a next one."""
    page = syncs[:page_size]
    position = [page[-1].created.isoformat(), str(page[-1].id)] if len(syncs) > page_size else None
    token = pages.token(SCOPE, position) if position is not None else ""
    return catalog_pb2.ListSyncsResponse(syncs=[sync_to_proto(sync) for sync in page], next_page_token=token)


def sync_to_proto(sync: Sync) -> catalog_pb2.Sync:
    return catalog_pb2.Sync(
        name=f"syncs/{sync.id}",
        source=SOURCES.get(sync.source, catalog_pb2.SOURCE_FILE),
        collection=sync.collection,
        mode=MODES[sync.mode],
        state=STATES[sync.state],
        step=sync.step,
        done=sync.done,
        total=sync.total,
        titles_kept=sync.titles_kept,
        characters_kept=sync.characters_kept,
        titles_removed=sync.titles_removed,
        faults_total=sync.faults_total,
        faults=[catalog_pb2.Sync.Fault(place=place, description=text) for place, text in sync.faults],
        error=sync.error,
        index_version=f"indexVersions/{sync.index_version}" if sync.index_version is not None else "",
        create_time=sync.created,
        end_time=sync.ended,
    )


def _fault(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field}: {description}", violations=[Violation(field, description)])
