"""What the other services are told, as events on their way out."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from runtime.context import request_id
from runtime.events.envelope import envelope
from scenemesh.events.v1 import search_pb2
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.search_svc.domain.sync import Sync
from services.search_svc.domain.version import Activation


class Announcing:
    """`clock` gives the present, `new_id` an event's id."""

    def __init__(self, clock: Callable[[], datetime], new_id: Callable[[], UUID]) -> None:
        self._clock = clock
        self._new_id = new_id

    def synced(self, sync: Sync) -> Envelope:
        """`catalog.synced`, for a sync that succeeded."""
        data = search_pb2.CatalogSynced(
            source=sync.source,
            titles_kept=sync.titles_kept,
            characters_kept=sync.characters_kept,
            titles_removed=sync.titles_removed,
        )
        return envelope("catalog.synced", f"syncs/{sync.id}", data, self._clock(), self._new_id())

    def activated(self, activation: Activation) -> Envelope:
        """`index.activated`, for a version that came into service."""
        data = search_pb2.IndexActivated(
            replaced=f"indexVersions/{activation.replaced}" if activation.replaced is not None else "",
            entries=activation.entries,
            activated_by=f"users/{activation.activated_by}" if activation.activated_by else "",
        )
        subject = f"indexVersions/{activation.version}"
        return envelope("index.activated", subject, data, self._clock(), self._new_id(), request_id())
