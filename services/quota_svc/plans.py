"""What billing_svc says: the plans on offer, kept fresh in the background, and who is on which."""

from __future__ import annotations

import asyncio

import grpc
import structlog

from runtime.errors import Unavailable
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from services.quota_svc import convert
from services.quota_svc.domain.plan import PlanTable

log = structlog.get_logger()

REFRESH_SECONDS = 60.0
RETRY_SECONDS = 0.5
LIST_SECONDS = 2.0
SUBSCRIPTION_SECONDS = 1.0


class Plans:
    """The plan table, as billing last told it: a failed refresh leaves the last good one standing."""

    def __init__(self, channel: grpc.aio.Channel, table: PlanTable) -> None:
        self._billing = billing_pb2_grpc.BillingServiceStub(channel)
        self.table = table

    @classmethod
    async def first(cls, channel: grpc.aio.Channel, retry_seconds: float = RETRY_SECONDS) -> Plans:
        """The plans, as soon as billing tells them: it is asked again and again until it does."""
        billing = billing_pb2_grpc.BillingServiceStub(channel)
        while True:
            table = await _told(billing)
            if table is not None:
                return cls(channel, table)
            await asyncio.sleep(retry_seconds)

    async def refreshing(self, every_seconds: float = REFRESH_SECONDS) -> None:
        """Keeps the table fresh until it is cancelled."""
        while True:
            await asyncio.sleep(every_seconds)
            self.table = await _told(self._billing) or self.table

    async def subscribed(self, user: str) -> str:
        """The name of the plan that the user has the use of; UNAVAILABLE when billing does not say."""
        request = billing_pb2.GetSubscriptionRequest(name=f"users/{user}/subscription")
        try:
            subscription = await self._billing.GetSubscription(request, timeout=SUBSCRIPTION_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise Unavailable(
                f"The user's plan cannot be looked up just now: billing answers {error.code().name}.",
                reason="BILLING_UNAVAILABLE",
            ) from error
        return convert.plan_in_force(subscription)


async def _told(billing: billing_pb2_grpc.BillingServiceAsyncStub) -> PlanTable | None:
    """The plan table from billing; None, and a line in the log, when there is no answer or none that can be used."""
    try:
        answer = await billing.ListPlans(billing_pb2.ListPlansRequest(), timeout=LIST_SECONDS, wait_for_ready=True)
        return convert.plan_table_from_proto(answer)
    except grpc.aio.AioRpcError as error:
        log.warning("plans not refreshed", code=error.code().name, error=error.details())
    except ValueError as error:
        log.warning("plans not refreshed", error=str(error))
    return None
