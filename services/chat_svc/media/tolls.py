"""What is paid for beside turns: units of one meter, held before the work and charged after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import grpc
import structlog
from google.protobuf.duration_pb2 import Duration

from runtime.errors import MeshError, Unavailable
from scenemesh.quota.v1 import quota_pb2, quota_pb2_grpc
from services.chat_svc.siblings import CALL_SECONDS_MAX, amounts_of, answered

log = structlog.get_logger()

# Longer than any work that is paid for here.
HOLD_SECONDS = 120


@dataclass(frozen=True)
class Toll:
    """A hold of so many units of the meter that was `wanted`, each at `price` of the one that pays for them."""

    hold: str
    wanted: str
    meter: str
    price: int
    units: int


class Tolls:
    """`new_id` gives an id for a request."""

    def __init__(self, channel: grpc.aio.Channel, new_id: Callable[[], UUID]) -> None:
        self._stub = quota_pb2_grpc.QuotaServiceStub(channel)
        self._new_id = new_id

    async def hold(self, user: str, meter: str, units: int) -> Toll:
        """QuotaExhausted when there are not so many units left."""
        request = quota_pb2.ReserveRequest(
            parent=f"users/{user}",
            request_id=str(self._new_id()),
            amounts=amounts_of({meter: units}),
            time_to_live=Duration(seconds=HOLD_SECONDS),
        )
        reply = await answered(self._stub.Reserve(request, timeout=CALL_SECONDS_MAX))
        (line,) = reply.hold.lines
        return Toll(reply.hold.name, meter, line.meter, line.amount // units, units)

    async def raised(self, toll: Toll, user: str, units: int) -> Toll:
        """A hold of so many units in place of one of fewer, as if that had been known before.

        QuotaExhausted, and nothing is held any more, when there are not so many left. Where nobody can tell, it is the
        hold that there was.
        """
        if units <= toll.units:
            return toll
        await self.give_back(toll)
        try:
            return await self.hold(user, toll.wanted, units)
        except Unavailable as error:
            log.warning("hold not raised", hold=toll.hold, units=units, reason=error.reason)
            return toll

    async def charge(self, toll: Toll, units: int, resource: str, model: str) -> int:
        """Charges so many units, at most those that are held; gives what that is on the meter that pays.

        What cannot be charged is free: the work is done, and whoever waits for it gets it.
        """
        charged = min(units, toll.units) * toll.price
        usage = quota_pb2.Usage(resource=resource, model=model)
        request = quota_pb2.SettleRequest(name=toll.hold, amounts=amounts_of({toll.meter: charged}), usage=usage)
        try:
            await answered(self._stub.Settle(request, timeout=CALL_SECONDS_MAX))
        except MeshError as error:
            log.error("work not charged", hold=toll.hold, charged=charged, reason=error.reason)
            return 0
        return charged

    async def give_back(self, toll: Toll) -> None:
        """Charges nothing; where that cannot be said, the hold expires."""
        try:
            request = quota_pb2.ReleaseRequest(name=toll.hold)
            await answered(self._stub.Release(request, timeout=CALL_SECONDS_MAX))
        except MeshError as error:
            log.warning("hold left to expire", hold=toll.hold, reason=error.reason)
