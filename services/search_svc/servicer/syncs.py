"""The RPCs of CatalogService that bring titles in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc

from scenemesh.search.v1 import catalog_pb2
from services.search_svc.convert import syncs as convert
from services.search_svc.origins import Origins
from services.search_svc.store import Syncs, Uploads

Context = grpc.aio.ServicerContext


class SyncRpcs:
    """`queued` is told after a sync was queued."""

    def __init__(self, syncs: Syncs, uploads: Uploads, origins: Origins, queued: Callable[[], None]) -> None:
        self._syncs = syncs
        self._uploads = uploads
        self._origins = origins
        self._queued = queued

    async def SyncCatalog(
        self, request: catalog_pb2.SyncCatalogRequest, context: Context[Any, Any]
    ) -> catalog_pb2.Sync:
        order = convert.order_from_proto(request)
        self._origins.require(order.source)
        sync = await self._syncs.begin(order)
        self._queued()
        return convert.sync_to_proto(sync)

    async def ImportCatalog(
        self, request_iterator: AsyncIterator[catalog_pb2.ImportCatalogRequest], context: Context[Any, Any]
    ) -> catalog_pb2.Sync:
        order = await convert.upload_from_proto(request_iterator)
        sync = await self._uploads.begin(order, convert.chunks_from_proto(request_iterator))
        self._queued()
        return convert.sync_to_proto(sync)

    async def GetSync(self, request: catalog_pb2.GetSyncRequest, context: Context[Any, Any]) -> catalog_pb2.Sync:
        return convert.sync_to_proto(await self._syncs.sync(convert.id_from_name(request.name)))

    async def ListSyncs(
        self, request: catalog_pb2.ListSyncsRequest, context: Context[Any, Any]
    ) -> catalog_pb2.ListSyncsResponse:
        size = request.page_size or convert.PAGE_SIZE_DEFAULT
        return convert.page_to_proto(await self._syncs.page(convert.before_from_proto(request), size + 1), size)

    async def CancelSync(self, request: catalog_pb2.CancelSyncRequest, context: Context[Any, Any]) -> catalog_pb2.Sync:
        return convert.sync_to_proto(await self._syncs.cancel(convert.id_from_name(request.name)))

    async def ResumeSync(self, request: catalog_pb2.ResumeSyncRequest, context: Context[Any, Any]) -> catalog_pb2.Sync:
        sync = await self._syncs.resume(convert.id_from_name(request.name))
        self._queued()
        return convert.sync_to_proto(sync)
