"""Deliveries as the contract says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.billing.v1 import webhook_pb2
from services.billing_svc.convert.words import PROVIDERS
from services.billing_svc.domain.delivery import DeliveryState, InboxEntry

PAGE_SIZE_DEFAULT = 50

STATES = {
    DeliveryState.PENDING: webhook_pb2.DELIVERY_STATE_PENDING,
    DeliveryState.DONE: webhook_pb2.DELIVERY_STATE_DONE,
    DeliveryState.IGNORED: webhook_pb2.DELIVERY_STATE_IGNORED,
    DeliveryState.DEAD: webhook_pb2.DELIVERY_STATE_DEAD,
}
STATES_FROM = {word: state for state, word in STATES.items()}


def delivery_id_from_proto(name: str) -> UUID:
    """The id in `webhookDeliveries/{uuid}`."""
    return UUID(name.removeprefix("webhookDeliveries/"))


def page_size_from_proto(request: webhook_pb2.ListWebhookDeliveriesRequest) -> int:
    return request.page_size or PAGE_SIZE_DEFAULT


def scope(request: webhook_pb2.ListWebhookDeliveriesRequest) -> str:
    """The query that a page token is bound to."""
    return f"webhookDeliveries {request.state} {request.provider}"


def before_from_proto(request: webhook_pb2.ListWebhookDeliveriesRequest) -> tuple[datetime, UUID] | None:
    """The delivery that the page goes on after; None for the first page."""
    position = pages.position(scope(request), request.page_token, 2)
    if position is None:
        return None
    try:
        return datetime.fromisoformat(position[0]).astimezone(UTC), UUID(position[1])
    except (ValueError, OverflowError) as error:
        fault = Violation("page_token", "is not the next_page_token of this query")
        raise InvalidArgument("page_token: is not the next_page_token of this query", violations=[fault]) from error


def page_to_proto(
    request: webhook_pb2.ListWebhookDeliveriesRequest, entries: Sequence[InboxEntry]
) -> webhook_pb2.ListWebhookDeliveriesResponse:
    """One page of `entries`, which hold one more than the page when there is a next one."""
    size = page_size_from_proto(request)
    page = entries[:size]
    position = [page[-1].receive_time.isoformat(), str(page[-1].id)] if len(entries) > size else None
    token = pages.token(scope(request), position) if position is not None else ""
    deliveries = [delivery_to_proto(entry) for entry in page]
    return webhook_pb2.ListWebhookDeliveriesResponse(deliveries=deliveries, next_page_token=token)


def delivery_to_proto(entry: InboxEntry) -> webhook_pb2.WebhookDelivery:
    return webhook_pb2.WebhookDelivery(
        name=f"webhookDeliveries/{entry.id}",
        provider=PROVIDERS[entry.provider],
        event_id=entry.event_id,
        event_type=entry.event_type,
        state=STATES[entry.state],
        detail=entry.detail,
        attempts=entry.attempts,
        receive_time=entry.receive_time,
        due_time=entry.due_time,
        end_time=entry.end_time,
    )
