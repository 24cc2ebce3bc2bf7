"""An edge that has nothing but syncs, as a test scripts them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from runtime.errors import MeshError
from scenemesh.search.v1 import catalog_pb2, catalog_pb2_grpc
from tests.service.cli.fake_edge import Script, refuse

NAME = "syncs/00000000-0000-4000-8000-000000000004"
VERSION = "indexVersions/7"


@dataclass
class Syncs(Script):
    """What the edge answers: `states` one after the other, the last one for ever."""

    states: Sequence[catalog_pb2.Sync | MeshError | grpc.StatusCode] = ()
    index_versions: Sequence[catalog_pb2.IndexVersion] = ()
    # Set by the edge.
    uploads: list[tuple[catalog_pb2.ImportCatalogRequest.Header, bytes]] = field(default_factory=list)

    async def next_state(self, context: grpc.aio.ServicerContext[Any, Any]) -> catalog_pb2.Sync:
        state, self.states = self.states[0], self.states[1:] or self.states
        if not isinstance(state, catalog_pb2.Sync):
            await refuse(context, state)
        assert isinstance(state, catalog_pb2.Sync)
        return state


class Catalog(catalog_pb2_grpc.CatalogServiceServicer):
    def __init__(self, syncs: Syncs) -> None:
        self._syncs = syncs

    async def SyncCatalog(self, request: Any, context: Any) -> catalog_pb2.Sync:
        await self._syncs.heard(request, context)
        return await self._syncs.next_state(context)

    async def ImportCatalog(self, request_iterator: Any, context: Any) -> catalog_pb2.Sync:
        header = (await anext(request_iterator)).header
        await self._syncs.heard(header, context)
        content = b"".join([request.chunk async for request in request_iterator])
        self._syncs.uploads.append((header, content))
        return await self._syncs.next_state(context)

    async def GetSync(self, request: Any, context: Any) -> catalog_pb2.Sync:
        await self._syncs.heard(request, context)
        return await self._syncs.next_state(context)

    async def ResumeSync(self, request: Any, context: Any) -> catalog_pb2.Sync:
        await self._syncs.heard(request, context)
        return await self._syncs.next_state(context)

    async def CancelSync(self, request: Any, context: Any) -> catalog_pb2.Sync:
        await self._syncs.heard(request, context)
        return await self._syncs.next_state(context)

    async def ListSyncs(self, request: Any, context: Any) -> catalog_pb2.ListSyncsResponse:
        await self._syncs.heard(request, context)
        states = [state for state in self._syncs.states if isinstance(state, catalog_pb2.Sync)]
        last = request.page_token or not states
        page = states[1:] if last else states[:1]
        return catalog_pb2.ListSyncsResponse(syncs=page, next_page_token="" if last else "more")

    async def ListIndexVersions(self, request: Any, context: Any) -> catalog_pb2.ListIndexVersionsResponse:
        return catalog_pb2.ListIndexVersionsResponse(index_versions=self._syncs.index_versions)


@asynccontextmanager
async def fake_syncs() -> AsyncIterator[Syncs]:
    syncs = Syncs()
    server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
    catalog_pb2_grpc.add_CatalogServiceServicer_to_server(Catalog(syncs), server)  # type: ignore[abstract]
    syncs.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield syncs
    finally:
        await server.stop(0)
