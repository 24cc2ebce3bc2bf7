"""An edge that has nothing but index versions, as a test scripts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc
from tests.service.cli.fake_edge import Script


@dataclass
class Indexes(Script):
    """What the edge answers: one version a page; `builds` are the states of a version one after the other."""

    versions: Sequence[catalog_pb2.IndexVersion] = ()
    builds: Sequence[catalog_pb2.IndexVersion] = ()
    status: catalog_pb2.ServingStatus | None = None

    def next_build(self) -> catalog_pb2.IndexVersion:
        build, self.builds = self.builds[0], self.builds[1:]
        return build


class Catalog(catalog_pb2_grpc.CatalogServiceServicer):
    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    async def CreateIndexVersion(self, request: Any, context: Any) -> catalog_pb2.IndexVersion:
        await self._indexes.heard(request, context)
        return self._indexes.next_build()

    async def ListIndexVersions(self, request: Any, context: Any) -> catalog_pb2.ListIndexVersionsResponse:
        await self._indexes.heard(request, context)
        if self._indexes.builds:
            return catalog_pb2.ListIndexVersionsResponse(index_versions=[self._indexes.next_build()])
        page = int(request.page_token or 0)
        last = page >= len(self._indexes.versions) - 1
        return catalog_pb2.ListIndexVersionsResponse(
            index_versions=self._indexes.versions[page : page + 1], next_page_token="" if last else str(page + 1)
        )

    async def ActivateIndexVersion(self, request: Any, context: Any) -> catalog_pb2.IndexVersion:
        await self._indexes.heard(request, context)
        return self._indexes.next_build()

    async def GetServingStatus(self, request: Any, context: Any) -> catalog_pb2.ServingStatus:
        await self._indexes.heard(request, context)
        assert self._indexes.status is not None
        return self._indexes.status


@asynccontextmanager
async def fake_index() -> AsyncIterator[Indexes]:
    indexes = Indexes()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    catalog_pb2_grpc.add_CatalogServiceServicer_to_server(Catalog(indexes), server)  # type: ignore[abstract]
    indexes.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield indexes
    finally:
        await server.stop(0)
