"""The RPCs of CatalogService about index versions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import grpc

from runtime.context import caller
from scenemesh.search.v1 import catalog_pb2
from services.search_svc.cache import Statistics
from services.search_svc.convert import versions as convert
from services.search_svc.store import Versions
from services.search_svc.versions.activating import Activating
from services.search_svc.versions.serving import Serving


class VersionRpcs:
    """`created` is called when a build was asked for, `statistics` says how this replica's cache does."""

    def __init__(
        self,
        versions: Versions,
        activating: Activating,
        created: Callable[[], None],
        serving: Serving,
        statistics: Callable[[], Statistics],
        clock: Callable[[], datetime],
    ) -> None:
        self._versions = versions
        self._activating = activating
        self._created = created
        self._serving = serving
        self._statistics = statistics
        self._now = clock

    async def CreateIndexVersion(
        self, request: catalog_pb2.CreateIndexVersionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.IndexVersion:
        version = await self._versions.create(self._now())
        self._created()
        return convert.version_to_proto(version)

    async def ListIndexVersions(
        self, request: catalog_pb2.ListIndexVersionsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.ListIndexVersionsResponse:
        before, page_size = convert.page_from_proto(request)
        return convert.versions_to_proto(await self._versions.page(before, page_size + 1), page_size)

    async def ActivateIndexVersion(
        self, request: catalog_pb2.ActivateIndexVersionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.IndexVersion:
        number = convert.number_from_name(request.name)
        return convert.version_to_proto(await self._activating.activate(number, caller().person()))

    async def GetServingStatus(
        self, request: catalog_pb2.GetServingStatusRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> catalog_pb2.ServingStatus:
        return convert.status_to_proto(self._serving.status, self._statistics())
