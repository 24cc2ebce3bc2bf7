"""CatalogService: what fills the catalogue, and what decides which index serves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from scenemesh.search.v1 import catalog_pb2_grpc
from services.search_svc.cache import Statistics
from services.search_svc.origins import Origins
from services.search_svc.servicer.syncs import SyncRpcs
from services.search_svc.servicer.versions import VersionRpcs
from services.search_svc.store import Syncs, Uploads, Versions
from services.search_svc.versions.activating import Activating
from services.search_svc.versions.serving import Serving

SERVICE = "scenemesh.search.v1.CatalogService"


class CatalogServicer(SyncRpcs, VersionRpcs, catalog_pb2_grpc.CatalogServiceServicer):
    """`queued` is told after a sync was queued, `created` after a build was asked for; `clock` gives the present."""

    def __init__(
        self,
        syncs: Syncs,
        uploads: Uploads,
        origins: Origins,
        queued: Callable[[], None],
        versions: Versions,
        activating: Activating,
        created: Callable[[], None],
        serving: Serving,
        statistics: Callable[[], Statistics],
        clock: Callable[[], datetime],
    ) -> None:
        SyncRpcs.__init__(self, syncs, uploads, origins, queued)
        VersionRpcs.__init__(self, versions, activating, created, serving, statistics, clock)
