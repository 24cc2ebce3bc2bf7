"""Index versions as the contract says them."""

from collections.abc import Sequence
from datetime import timedelta

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.search.v1 import catalog_pb2
from services.search_svc.cache import Statistics
from services.search_svc.domain.comparing import Comparison
from services.search_svc.domain.version import ServingStatus, State, Version

PAGE_SIZE_DEFAULT = 20
NUMBER_DIGITS_MAX = 18
SCOPE = "indexVersions"

STATES = {
    State.BUILDING: catalog_pb2.IndexVersion.STATE_BUILDING,
    State.READY: catalog_pb2.IndexVersion.STATE_READY,
    State.REFUSED: catalog_pb2.IndexVersion.STATE_REFUSED,
    State.FAILED: catalog_pb2.IndexVersion.STATE_FAILED,
    State.REMOVED: catalog_pb2.IndexVersion.STATE_REMOVED,
}


def number_from_name(name: str) -> int:
    """The number in `indexVersions/{number}`."""
    return int(name.split("/")[1])


def page_from_proto(request: catalog_pb2.ListIndexVersionsRequest) -> tuple[int | None, int]:
    """The number that the page goes on below, None for the first page; and the page's size."""
    page_size = request.page_size or PAGE_SIZE_DEFAULT
    position = pages.position(SCOPE, request.page_token, 1)
    if position is None:
        return None, page_size
    digits = position[0]
    if not digits.isascii() or not digits.isdigit() or len(digits) > NUMBER_DIGITS_MAX:
        fault = Violation("page_token", "is not the next_page_token of this query")
        raise InvalidArgument("page_token: is not the next_page_token of this query", violations=[fault])
    return int(digits), page_size


def versions_to_proto(versions: Sequence[Version], page_size: int) -> catalog_pb2.ListIndexVersionsResponse:
    """One page of `versions`, which hold one more than the page when there is a next one."""
    page = versions[:page_size]
    token = pages.token(SCOPE, [str(page[-1].number)]) if len(versions) > page_size else ""
    return catalog_pb2.ListIndexVersionsResponse(
        index_versions=[version_to_proto(version) for version in page], next_page_token=token
    )


def version_to_proto(version: Version) -> catalog_pb2.IndexVersion:
    built = version.state is not State.BUILDING
    return catalog_pb2.IndexVersion(
        name=_name(version.number),
        state=STATES[version.state],
        active=version.active,
        checksum=version.checksum,
        size_bytes=version.size_bytes,
        titles=version.counts.titles,
        characters=version.counts.characters,
        actors=version.counts.actors,
        comparison=_comparison(version.comparison) if version.comparison is not None else None,
        error=version.error,
        create_time=version.created,
        build_duration=version.build_time if built else None,
        activate_time=version.activated,
        activated_by=f"users/{version.activated_by}" if version.activated_by else "",
    )


def status_to_proto(status: ServingStatus, statistics: Statistics) -> catalog_pb2.ServingStatus:
    return catalog_pb2.ServingStatus(
        index_version=_name(status.version),
        load_time=status.loaded,
        degraded=status.degraded,
        queries=statistics.queries,
        cache_hits=statistics.hits,
        cache_entries=statistics.entries,
        p50=statistics.p50,
        p99=statistics.p99,
    )


def _comparison(comparison: Comparison) -> catalog_pb2.Comparison:
    return catalog_pb2.Comparison(
        baseline=_name(comparison.baseline),
        queries=comparison.queries,
        agreement=comparison.agreement,
        emptied=comparison.emptied,
        lost_entries=comparison.lost_entries,
        baseline_p99=timedelta(microseconds=comparison.baseline_p99_us),
        p99=timedelta(microseconds=comparison.p99_us),
        differences=[
            catalog_pb2.Comparison.Difference(query=one.query, baseline=one.baseline, candidate=one.candidate)
            for one in comparison.differences
        ],
    )


def _name(number: int) -> str:
    return f"indexVersions/{number}"
