"""WebhookService: what providers send, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from google.api.httpbody_pb2 import HttpBody
from google.protobuf.empty_pb2 import Empty

from runtime.errors import NotFound
from scenemesh.billing.v1 import webhook_pb2, webhook_pb2_grpc
from services.billing_svc.convert import deliveries as convert
from services.billing_svc.convert.words import PROVIDERS_FROM
from services.billing_svc.domain.plan import Provider
from services.billing_svc.store.deliveries import Deliveries, EntryFilter
from services.billing_svc.webhooks.intake import Intake

SERVICE = "scenemesh.billing.v1.WebhookService"


class WebhookServicer(webhook_pb2_grpc.WebhookServiceServicer):
    """`clock` gives the present in UTC; `replayed` is told whose delivery is to be worked on anew."""

    def __init__(
        self,
        intake: Intake,
        deliveries: Deliveries,
        clock: Callable[[], datetime],
        replayed: Callable[[Provider], None],
    ) -> None:
        self._intake = intake
        self._deliveries = deliveries
        self._clock = clock
        self._replayed = replayed

    async def ReceiveStripe(self, request: webhook_pb2.ReceiveStripeRequest, context: Any) -> Empty:
        return await self._receive(Provider.STRIPE, request.body, context)

    async def ReceiveRevenueCat(self, request: webhook_pb2.ReceiveRevenueCatRequest, context: Any) -> Empty:
        return await self._receive(Provider.REVENUECAT, request.body, context)

    async def ReceiveLemonSqueezy(self, request: webhook_pb2.ReceiveLemonSqueezyRequest, context: Any) -> Empty:
        return await self._receive(Provider.LEMON_SQUEEZY, request.body, context)

    async def ReceiveCryptomus(self, request: webhook_pb2.ReceiveCryptomusRequest, context: Any) -> Empty:
        return await self._receive(Provider.CRYPTOMUS, request.body, context)

    async def _receive(self, provider: Provider, body: HttpBody, context: Any) -> Empty:
        headers = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        await self._intake.receive(provider, headers, body.data)
        return Empty()

    async def ListWebhookDeliveries(
        self, request: webhook_pb2.ListWebhookDeliveriesRequest, context: Any
    ) -> webhook_pb2.ListWebhookDeliveriesResponse:
        before = convert.before_from_proto(request)
        count = convert.page_size_from_proto(request) + 1
        wanted = EntryFilter(convert.STATES_FROM.get(request.state), PROVIDERS_FROM.get(request.provider))
        return convert.page_to_proto(request, await self._deliveries.page(wanted, before, count))

    async def ReplayWebhookDelivery(
        self, request: webhook_pb2.ReplayWebhookDeliveryRequest, context: Any
    ) -> webhook_pb2.WebhookDelivery:
        entry = await self._deliveries.replay(convert.delivery_id_from_proto(request.name), self._clock())
        if entry is None:
            raise NotFound("There is no such delivery.", reason="DELIVERY_NOT_FOUND")
        self._replayed(entry.provider)
        return convert.delivery_to_proto(entry)
