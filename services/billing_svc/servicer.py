"""The RPCs of BillingService."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import grpc

from runtime.context import caller
from scenemesh.billing.v1 import billing_pb2, billing_pb2_grpc
from services.billing_svc import convert
from services.billing_svc.domain import Plan
from services.billing_svc.store import Subscriptions

SERVICE = "scenemesh.billing.v1.BillingService"


class BillingServicer(billing_pb2_grpc.BillingServiceServicer):
    def __init__(self, plans: tuple[Plan, ...], subscriptions: Subscriptions, clock: Callable[[], datetime]) -> None:
        self._plans = convert.plans_to_proto(plans)
        self._subscriptions = subscriptions
        self._clock = clock

    async def ListPlans(
        self, request: billing_pb2.ListPlansRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> billing_pb2.ListPlansResponse:
        return self._plans

    async def GetSubscription(
        self, request: billing_pb2.GetSubscriptionRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> billing_pb2.Subscription:
        user = caller().owner(convert.user_from_name(request.name), reason="SUBSCRIPTION_NOT_FOUND")
        subscription = await self._subscriptions.subscription(user)
        return convert.subscription_to_proto(subscription.at(self._clock()))
