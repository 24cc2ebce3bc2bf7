"""Rows as domain values."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record

from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.credit import Credit, CreditState, Source
from services.quota_svc.domain.entry import Book, Entry, EntryKind, Usage
from services.quota_svc.domain.hold import Hold, HoldState, Line, Lot, Overage
from services.quota_svc.domain.record import Adjustment, AdjustmentReason, PlanChange, Taken


def credit(row: Record) -> Credit:
    return Credit(
        id=row["id"],
        meter=row["meter"],
        source=Source(row["source"]),
        priority=row["priority"],
        amount=row["amount"],
        start=row["start_time"],
        expire=row["expire_time"],
        created=row["create_time"],
        state=CreditState(row["state"]),
        balance=row["balance"],
        used=row["used"],
        allowance=row["allowance"],
        rollover=row["rollover"],
        window=row["rolling_window"],
        adjusted=row["adjusted"],
        ended=row["end_time"],
        fingerprint=row["fingerprint"],
    )


def hold(row: Record) -> Hold:
    return Hold(
        id=row["id"],
        lines=tuple(_line(line) for line in json.loads(row["lines"])),
        created=row["create_time"],
        expire=row["expire_time"],
        overage=Overage(row["overage"]),
        fingerprint=row["fingerprint"],
        state=HoldState(row["state"]),
        resolved=row["resolve_time"],
        voided_by=row["voided_by"],
        void_reason=row["void_reason"],
        settlement=row["settlement"],
    )


def entry(row: Record) -> Entry:
    usage = json.loads(row["usage"]) if row["usage"] is not None else None
    return Entry(
        number=row["number"],
        meter=row["meter"],
        kind=EntryKind(row["kind"]),
        debit=Book(row["debit"]),
        credit=Book(row["credit"]),
        amount=row["amount"],
        balance=row["balance"],
        source=Source(row["source"]),
        credit_id=row["credit_id"],
        time=row["create_time"],
        hold=row["hold"],
        usage=Usage(**usage) if usage is not None else None,
    )


def adjustment(row: Record) -> Adjustment:
    return Adjustment(
        id=row["id"],
        meter=row["meter"],
        amount=row["amount"],
        reason=AdjustmentReason(row["reason"]),
        balance=row["balance"],
        time=row["create_time"],
        fingerprint=row["fingerprint"],
    )


def plan_change(row: Record) -> PlanChange:
    return PlanChange(
        id=row["id"],
        plan=row["plan"],
        previous=row["previous"],
        time=row["create_time"],
        fingerprint=row["fingerprint"],
    )


def taken(row: Record) -> list[Taken]:
    """What an account's row says was used under plans that were left."""
    return [_taken(one) for one in json.loads(row["taken"])]


def _taken(one: dict[str, Any]) -> Taken:
    window = timedelta(seconds=one["window_seconds"]) if one["window_seconds"] is not None else None
    until = datetime.fromisoformat(one["until"])
    return Taken(one["meter"], Period(one["period"]), window, until, one["units"])


def _line(line: dict[str, Any]) -> Line:
    lots = tuple(Lot(UUID(lot["credit"]) if lot["credit"] is not None else None, lot["amount"]) for lot in line["lots"])
    return Line(line["meter"], lots, line["settled"], line["uncovered"])


def credit_at(row: Record, moment: datetime) -> Credit:
    """The credit as it stood at `moment`, from a row that also says `balance_then` and `used_then`."""
    begun = row["start_time"] <= moment
    state = CreditState.OPEN if begun else CreditState.SCHEDULED
    return replace(credit(row), state=state, balance=row["balance_then"], used=row["used_then"], ended=None)


def hold_at(row: Record) -> Hold:
    """A hold as it stood while it was live."""
    lines = tuple(replace(line, settled=0, uncovered=0) for line in hold(row).lines)
    return replace(hold(row), lines=lines, state=HoldState.HELD, resolved=None, settlement=None)
