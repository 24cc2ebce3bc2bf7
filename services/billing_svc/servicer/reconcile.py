"""BillingService: comparing what is kept with what the others say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from runtime.context import caller
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from services.billing_svc.convert.drifts import event_to_proto
from services.billing_svc.domain.drift import Scope
from services.billing_svc.reconciling.running import Reconciling


class ReconcileRpcs(billing_pb2_grpc.BillingServiceServicer):
    """The servicer that has these gives `_reconciling`."""

    _reconciling: Reconciling

    async def Reconcile(
        self, request: billing_pb2.ReconcileRequest, context: Any
    ) -> AsyncIterator[billing_pb2.ReconcileEvent]:
        user = request.user.removeprefix("users/")
        whose = caller().owner(user, reason="USER_NOT_FOUND", operators=True) if user else None
        async with aclosing(self._reconciling.events(Scope(whose, repairs=not request.validate_only))) as events:
            async for event in events:
                yield event_to_proto(event)
