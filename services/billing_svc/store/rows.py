"""Rows as values, and values as rows."""

from __future__ import annotations

from typing import Any

from asyncpg import Record

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Interval, Provider

AGREEMENT_COLUMNS = """user_id, provider, id, plan, interval, state, start_time, period_end, grace_end, resume_time,
    next_plan, next_interval, revoked_until, customer, trial"""
PAYMENT_COLUMNS = """user_id, provider, id, agreement, state, cents, currency, refunded, disputed, failed, create_time,
    number, url"""
LINE_COLUMNS = """provider, payment, id, place, article, cents, interval, start_time, end_time, proration, credits,
    grant_id, reclaimed, adjustments"""


def agreement(row: Record) -> Agreement:
    return Agreement(
        provider=Provider(row["provider"]),
        id=row["id"],
        user=row["user_id"],
        plan=row["plan"],
        interval=_interval(row["interval"]),
        state=State(row["state"]),
        start=row["start_time"],
        period_end=row["period_end"],
        grace_end=row["grace_end"],
        resume_time=row["resume_time"],
        next_plan=row["next_plan"],
        next_interval=_interval(row["next_interval"]),
        revoked_until=row["revoked_until"],
        customer=row["customer"],
        trial=row["trial"],
    )


def agreement_values(one: Agreement) -> tuple[Any, ...]:
    """In the order of AGREEMENT_COLUMNS."""
    return (
        one.user,
        one.provider.value,
        one.id,
        one.plan,
        one.interval.value if one.interval else None,
        one.state.value,
        one.start,
        one.period_end,
        one.grace_end,
        one.resume_time,
        one.next_plan,
        one.next_interval.value if one.next_interval else None,
        one.revoked_until,
        one.customer,
        one.trial,
    )


def payment(row: Record, lines: list[Record]) -> Payment:
    return Payment(
        provider=Provider(row["provider"]),
        id=row["id"],
        user=row["user_id"],
        agreement=row["agreement"],
        state=PaymentState(row["state"]),
        cents=row["cents"],
        currency=row["currency"],
        refunded=row["refunded"],
        disputed=row["disputed"],
        failed=row["failed"],
        time=row["create_time"],
        lines=tuple(line(one) for one in lines),
        number=row["number"],
        url=row["url"],
    )


def payment_values(one: Payment) -> tuple[Any, ...]:
    """In the order of PAYMENT_COLUMNS."""
    return (
        one.user,
        one.provider.value,
        one.id,
        one.agreement,
        one.state.value,
        one.cents,
        one.currency,
        one.refunded,
        one.disputed,
        one.failed,
        one.time,
        one.number,
        one.url,
    )


def line(row: Record) -> Line:
    return Line(
        id=row["id"],
        article=row["article"],
        cents=row["cents"],
        interval=_interval(row["interval"]),
        start=row["start_time"],
        end=row["end_time"],
        proration=row["proration"],
        credits=row["credits"],
    )


def _interval(word: str | None) -> Interval | None:
    return None if word is None else Interval(word)
