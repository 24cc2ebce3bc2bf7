"""What users were charged, as the contract says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.convert.money import money
from services.billing_svc.convert.words import PROVIDERS
from services.billing_svc.domain.invoice import Given, Invoice
from services.billing_svc.domain.payment import Payment, PaymentState

PAGE_SIZE_DEFAULT = 50

# Where a page goes on: the last one's time, provider and id.
Position = tuple[datetime, str, str]


def page_size_from_proto(request: billing_pb2.ListInvoicesRequest | billing_pb2.ListPromoCodesRequest) -> int:
    return request.page_size or PAGE_SIZE_DEFAULT


def position_from_proto(user: str, request: billing_pb2.ListInvoicesRequest) -> Position | None:
    """Where the page goes on; None for the first one."""
    position = pages.position(_scope(user), request.page_token, 3)
    return None if position is None else (moment(position[0]), position[1], position[2])


def page_to_proto(user: str, found: Sequence[Invoice], page_size: int) -> billing_pb2.ListInvoicesResponse:
    """One page of `found`, which holds one more than the page when there is a next one."""
    page = [one.payment for one in found[:page_size]]
    more = len(found) > page_size
    position = [page[-1].time.isoformat(), page[-1].provider.value, page[-1].id] if more else []
    return billing_pb2.ListInvoicesResponse(
        invoices=[invoice_to_proto(one) for one in found[:page_size]],
        next_page_token=pages.token(_scope(user), position) if more else "",
    )


def invoice_to_proto(invoice: Invoice) -> billing_pb2.Invoice:
    payment = invoice.payment
    return billing_pb2.Invoice(
        name=f"users/{payment.user}/invoices/{payment.provider.value}-{payment.id}",
        provider=PROVIDERS[payment.provider],
        state=_state(payment),
        amount=money(payment.cents, payment.currency),
        refunded=money(payment.returned, payment.currency),
        create_time=payment.time,
        lines=[_line(payment, given) for given in invoice.lines],
        number=payment.number,
        url=payment.url,
    )


def moment(text: str) -> datetime:
    """A time out of a page token; InvalidArgument when it is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        fault = Violation("page_token", "is not the next_page_token of this query")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault]) from error


def _line(payment: Payment, given: Given) -> billing_pb2.InvoiceLine:
    line = given.line
    return billing_pb2.InvoiceLine(
        article=line.article,
        amount=money(line.cents, payment.currency),
        start_time=line.start,
        end_time=line.end,
        credits=line.credits if given.credit else 0,
        credits_reclaimed=given.reclaimed,
        credit=f"users/{payment.user}/credits/{given.credit}" if given.credit else "",
    )


def _state(payment: Payment) -> billing_pb2.InvoiceState:
    match payment.state:
        case PaymentState.OPEN:
            return billing_pb2.INVOICE_STATE_OPEN
        case PaymentState.VOID:
            return billing_pb2.INVOICE_STATE_VOID
        case PaymentState.PAID if payment.disputed:
            return billing_pb2.INVOICE_STATE_DISPUTED
        case PaymentState.PAID:
            return billing_pb2.INVOICE_STATE_PAID if payment.pays else billing_pb2.INVOICE_STATE_REFUNDED


def _scope(user: str) -> str:
    """The query that a page token is bound to."""
    return f"users/{user}/invoices"
