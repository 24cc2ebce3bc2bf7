"""What the other services are told, as events on their way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message
from google.type.money_pb2 import Money

from runtime.context import request_id
from runtime.events.envelope import envelope
from scenemesh.events.v1 import billing_pb2 as events
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.billing_svc.convert.money import money
from services.billing_svc.domain.change import Declined, Kind, Paid, Returned, SubscriptionChanged, Told
from services.billing_svc.domain.payment import Payment

SUBSCRIPTION_EVENTS: dict[Kind, type[Message]] = {
    Kind.CREATED: events.SubscriptionCreated,
    Kind.UPGRADED: events.SubscriptionUpgraded,
    Kind.DOWNGRADED: events.SubscriptionDowngraded,
    Kind.CANCELLED: events.SubscriptionCancelled,
    Kind.PAUSED: events.SubscriptionPaused,
    Kind.RESUMED: events.SubscriptionResumed,
}


class Announcing:
    """`new_id` gives an event's id."""

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self._new_id = new_id

    def events(self, user: str, told: Iterable[Told], now: datetime) -> list[Envelope]:
        """In the order in which they happened."""
        subject = f"users/{user}"
        return [
            envelope(event_type, subject, data, now, self._new_id(), request_id())
            for one in told
            for event_type, data in _events(one)
        ]


def _events(told: Told) -> Iterator[tuple[str, Message]]:
    match told:
        case SubscriptionChanged(kind, before, after):
            current = after.counts if after.counts and after.plan == after.counts.plan else None
            yield (
                f"subscription.{kind.value}",
                SUBSCRIPTION_EVENTS[kind](
                    plan=f"plans/{after.plan}",
                    previous_plan=f"plans/{before.plan}",
                    provider=current.provider.value if current else "",
                    period_end_time=current.period_end if current else None,
                ),
            )
        case Paid(payment):
            yield "payment.succeeded", events.PaymentSucceeded(**_payment(payment, payment.cents))
            yield from _purchases(payment)
        case Declined(payment):
            yield "payment.failed", events.PaymentFailed(**_payment(payment, payment.cents))
        case Returned(payment, cents):
            yield "payment.refunded", events.PaymentRefunded(**_payment(payment, cents))


def _purchases(payment: Payment) -> Iterator[tuple[str, Message]]:
    for line in payment.lines:
        if line.article.startswith("packs/"):
            invoice = invoice_name(payment)
            yield (
                "credits.purchased",
                events.CreditsPurchased(pack=line.article, credits=line.credits, invoice=invoice),
            )


def _payment(payment: Payment, cents: int) -> dict[str, str | Money]:
    return {
        "provider": payment.provider.value,
        "invoice": invoice_name(payment),
        "amount": money(cents, payment.currency),
    }


def invoice_name(payment: Payment) -> str:
    return f"users/{payment.user}/invoices/{payment.provider.value}-{payment.id}"
