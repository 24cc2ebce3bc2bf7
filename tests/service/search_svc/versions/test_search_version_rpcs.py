from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest

from runtime.status import error_info
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc
from services.search_svc.cache import Statistics
from services.search_svc.servicer.versions import VersionRpcs
from tests.harness.serving import served
from tests.service.search_svc.versions.workshop import Replica, Site, eventually, films, running

SERVICE = "scenemesh.search.v1.CatalogService"
OPERATOR = (("x-user-id", "olga"), ("x-user-role", "operator"))
USER = (("x-user-id", "ann"), ("x-user-role", "user"))
STATISTICS = Statistics(10, 4, 3, timedelta(milliseconds=1), timedelta(milliseconds=2))

READY = catalog_pb2.IndexVersion.STATE_READY
BUILDING = catalog_pb2.IndexVersion.STATE_BUILDING
REFUSED = catalog_pb2.IndexVersion.STATE_REFUSED


class Catalog(VersionRpcs, catalog_pb2_grpc.CatalogServiceServicer):
    """The half of it that is about index versions."""


@pytest.fixture
async def stub(replica: Replica, certificates: Path) -> AsyncIterator[Any]:
    catalog = Catalog(  # type: ignore[abstract]
        replica.versions,
        replica.activating,
        replica.building.nudge,
        replica.serving,
        lambda: STATISTICS,
        replica.clock,
    )
    register = partial(catalog_pb2_grpc.add_CatalogServiceServicer_to_server, catalog)
    async with served(certificates, "search", register, SERVICE) as dial:
        yield catalog_pb2_grpc.CatalogServiceStub(dial("edge"))


async def refusal(call: Callable[..., Any], request: Any, metadata: Any = OPERATOR) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call(request, metadata=metadata)
    return refused.value.code().name, error_info(refused.value).reason


def activation(number: int) -> catalog_pb2.ActivateIndexVersionRequest:
    return catalog_pb2.ActivateIndexVersionRequest(name=f"indexVersions/{number}")


async def test_a_build_on_demand_is_begun_at_once(stub: Any, replica: Replica) -> None:
    async with running(replica.building.run):
        created = await stub.CreateIndexVersion(catalog_pb2.CreateIndexVersionRequest(), metadata=OPERATOR)
        assert (created.name, created.state) == ("indexVersions/1", BUILDING)
        await eventually(lambda: replica.nudges == ["activated"])
    listed = await stub.ListIndexVersions(catalog_pb2.ListIndexVersionsRequest(), metadata=OPERATOR)
    assert [(one.name, one.state, one.active, one.titles) for one in listed.index_versions] == [
        ("indexVersions/1", READY, True, 3)
    ]


async def test_versions_are_listed_page_by_page(stub: Any, replica: Replica) -> None:
    for _ in range(3):
        await replica.built()
    request = catalog_pb2.ListIndexVersionsRequest(page_size=2)
    first = await stub.ListIndexVersions(request, metadata=OPERATOR)
    request.page_token = first.next_page_token
    second = await stub.ListIndexVersions(request, metadata=OPERATOR)
    pages = [[one.name for one in page.index_versions] for page in (first, second)]
    assert pages == [["indexVersions/3", "indexVersions/2"], ["indexVersions/1"]]
    assert second.next_page_token == ""


async def test_one_call_rolls_back_on_every_replica(stub: Any, replica: Replica, other: Replica) -> None:
    async with running(replica.serving.run, other.serving.run):
        for _ in range(2):
            await replica.built()
        await eventually(lambda: replica.serves() == 2)
        back = await stub.ActivateIndexVersion(activation(1), metadata=OPERATOR)
        assert (back.active, back.activated_by, back.HasField("activate_time")) == (True, "users/olga", True)
        await eventually(lambda: (replica.serves(), other.serves()) == (1, 1))


async def test_a_refusal_is_reported_and_overruled(stub: Any, replica: Replica, site: Site) -> None:
    await replica.built()
    replica.recent.record("matrix", frozenset())
    site.titles = films(["Heat"])
    await replica.built()
    listed = await stub.ListIndexVersions(catalog_pb2.ListIndexVersionsRequest(page_size=1), metadata=OPERATOR)
    (refused,) = listed.index_versions
    assert (refused.state, refused.active, refused.comparison.emptied) == (REFUSED, False, 1.0)
    assert [(one.query, list(one.baseline)) for one in refused.comparison.differences] == [
        ("matrix", ["titles/the-matrix"])
    ]
    assert refused.error.startswith("Compared with index version 1: ")
    overruled = await stub.ActivateIndexVersion(activation(2), metadata=OPERATOR)
    assert (overruled.state, overruled.active, overruled.error) == (READY, True, "")


async def test_what_cannot_serve_is_not_put_into_service(stub: Any, replica: Replica, directory: Path) -> None:
    await replica.built()
    await replica.built()
    (directory / "1.index").unlink()
    assert await refusal(stub.ActivateIndexVersion, activation(1)) == ("FAILED_PRECONDITION", "INDEX_VERSION_UNUSABLE")
    assert await refusal(stub.ActivateIndexVersion, activation(9)) == ("NOT_FOUND", "INDEX_VERSION_NOT_FOUND")


async def test_a_replica_says_what_it_serves(stub: Any, replica: Replica) -> None:
    request = catalog_pb2.GetServingStatusRequest()
    assert await refusal(stub.GetServingStatus, request) == ("UNAVAILABLE", "INDEX_NOT_READY")
    await replica.built()
    await replica.serving.follow()
    status = await stub.GetServingStatus(request, metadata=OPERATOR)
    told = (status.index_version, status.degraded, status.queries, status.cache_hits, status.cache_entries)
    assert told == ("indexVersions/1", "", 10, 4, 3)


async def test_they_are_for_operators(stub: Any) -> None:
    for call, request in (
        (stub.CreateIndexVersion, catalog_pb2.CreateIndexVersionRequest()),
        (stub.ListIndexVersions, catalog_pb2.ListIndexVersionsRequest()),
        (stub.ActivateIndexVersion, activation(1)),
        (stub.GetServingStatus, catalog_pb2.GetServingStatusRequest()),
    ):
        assert (await refusal(call, request, USER))[0] == "PERMISSION_DENIED"


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("ListIndexVersions", catalog_pb2.ListIndexVersionsRequest(page_size=-1)),
        ("ListIndexVersions", catalog_pb2.ListIndexVersionsRequest(page_size=101)),
        ("ListIndexVersions", catalog_pb2.ListIndexVersionsRequest(page_token="nonsense")),
        ("ActivateIndexVersion", catalog_pb2.ActivateIndexVersionRequest(name="indexVersions/0")),
        ("ActivateIndexVersion", catalog_pb2.ActivateIndexVersionRequest(name="indexVersions/x")),
        ("ActivateIndexVersion", catalog_pb2.ActivateIndexVersionRequest(name="indexVersions/" + "9" * 19)),
        ("ActivateIndexVersion", catalog_pb2.ActivateIndexVersionRequest(name="titles/1")),
    ],
    ids=lambda value: None,
)
async def test_a_request_that_breaks_a_rule_is_refused(stub: Any, method: str, request_: Any) -> None:
    assert await refusal(getattr(stub, method), request_) == ("INVALID_ARGUMENT", "INVALID_ARGUMENT")
