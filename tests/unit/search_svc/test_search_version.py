from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from runtime import pages
from runtime.errors import FailedPrecondition, InvalidArgument
from scenemesh.search.v1 import catalog_pb2
from services.search_svc.cache import Statistics
from services.search_svc.convert import versions as convert
from services.search_svc.domain.comparing import Comparison, Difference
from services.search_svc.domain.version import Built, Counts, ServingStatus, State, Summary, Version

NOW = datetime(2026, 11, 22, tzinfo=UTC)
COMPARISON = Comparison(6, 10, 0.5, 0.0, 0.0, 1500, 2500, (Difference("neo", ("characters/neo",), ("titles/x",)),))
VERSION = Version(
    number=7,
    state=State.READY,
    created=NOW,
    active=True,
    checksum="ab",
    size_bytes=9,
    counts=Counts(1, 2, 3),
    comparison=COMPARISON,
    build_time=timedelta(seconds=2),
    activated=NOW + timedelta(seconds=3),
    activated_by="olga",
)


def test_a_build_without_a_comparison_may_serve() -> None:
    assert Built(Summary(1, "ab", 9)).refusal == ""


def test_a_build_that_differs_too_much_may_not_serve() -> None:
    assert Built(Summary(7, "ab", 9), COMPARISON).refusal == COMPARISON.refusal != ""


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State.BUILDING, "is still being built"),
        (State.FAILED, "was never finished"),
        (State.REMOVED, "is not on disk any more"),
    ],
)
def test_only_what_is_on_disk_can_serve(state: State, why: str) -> None:
    with pytest.raises(FailedPrecondition) as refused:
        Version(4, state, NOW).check_on_disk()
    told = (refused.value.message, refused.value.reason, refused.value.metadata)
    assert told == (
        f"Index version 4 cannot serve: it {why}.",
        "INDEX_VERSION_UNUSABLE",
        {"index_version": "indexVersions/4"},
    )


@pytest.mark.parametrize("state", [State.READY, State.REFUSED])
def test_what_is_on_disk_may_be_put_into_service(state: State) -> None:
    Version(4, state, NOW).check_on_disk()


def test_a_version_is_said_with_all_it_has() -> None:
    seconds = int(NOW.timestamp())
    assert convert.version_to_proto(VERSION) == catalog_pb2.IndexVersion(
        name="indexVersions/7",
        state=catalog_pb2.IndexVersion.STATE_READY,
        active=True,
        checksum="ab",
        size_bytes=9,
        titles=1,
        characters=2,
        actors=3,
        comparison=catalog_pb2.Comparison(
            baseline="indexVersions/6",
            queries=10,
            agreement=0.5,
            baseline_p99=Duration(nanos=1_500_000),
            p99=Duration(nanos=2_500_000),
            differences=[
                catalog_pb2.Comparison.Difference(query="neo", baseline=["characters/neo"], candidate=["titles/x"])
            ],
        ),
        create_time=Timestamp(seconds=seconds),
        build_duration=Duration(seconds=2),
        activate_time=Timestamp(seconds=seconds + 3),
        activated_by="users/olga",
    )


def test_what_a_version_does_not_have_yet_is_absent() -> None:
    said = convert.version_to_proto(Version(8, State.BUILDING, NOW))
    assert said == catalog_pb2.IndexVersion(
        name="indexVersions/8",
        state=catalog_pb2.IndexVersion.STATE_BUILDING,
        create_time=Timestamp(seconds=int(NOW.timestamp())),
    )


def test_what_a_replica_serves_is_said_with_its_cache() -> None:
    statistics = Statistics(10, 4, 3, timedelta(microseconds=200), timedelta(milliseconds=2))
    assert convert.status_to_proto(ServingStatus(6, NOW, "It is so."), statistics) == catalog_pb2.ServingStatus(
        index_version="indexVersions/6",
        load_time=Timestamp(seconds=int(NOW.timestamp())),
        degraded="It is so.",
        queries=10,
        cache_hits=4,
        cache_entries=3,
        p50=Duration(nanos=200_000),
        p99=Duration(nanos=2_000_000),
    )


def test_a_page_goes_on_below_the_last_version_of_the_one_before() -> None:
    listed = convert.versions_to_proto([Version(number, State.READY, NOW) for number in (9, 8, 7)], 2)
    assert [one.name for one in listed.index_versions] == ["indexVersions/9", "indexVersions/8"]
    following = catalog_pb2.ListIndexVersionsRequest(page_size=2, page_token=listed.next_page_token)
    assert convert.page_from_proto(following) == (8, 2)
    assert convert.versions_to_proto([VERSION], 2).next_page_token == ""
    assert convert.page_from_proto(catalog_pb2.ListIndexVersionsRequest()) == (None, 20)


@pytest.mark.parametrize("token", ["nonsense", pages.token("syncs", ["8"]), pages.token("indexVersions", ["1" * 19])])
def test_a_token_of_something_else_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert.page_from_proto(catalog_pb2.ListIndexVersionsRequest(page_token=token))
    assert [one.field for one in refused.value.violations] == ["page_token"]
