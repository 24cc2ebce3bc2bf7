"""Credit beside the plan: granted, and corrected after the fact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid5

from runtime.errors import InvalidArgument, NotFound, Violation
from services.quota_svc.domain.account import NAMESPACE, Account
from services.quota_svc.domain.credit import GRANT_PRIORITY, Credit, CreditState, Source
from services.quota_svc.domain.decision import figures
from services.quota_svc.domain.entry import Book, EntryKind
from services.quota_svc.domain.plan import Tariff
from services.quota_svc.domain.record import Adjustment, AdjustmentReason
from services.quota_svc.domain.request import answered, fingerprint


@dataclass(frozen=True, slots=True)
class GrantOrder:
    """A wish to add credit; `start` is None for at once, `expire` for never."""

    user: str
    id: UUID
    meter: str
    amount: int
    source: Source
    priority: int = GRANT_PRIORITY
    start: datetime | None = None
    expire: datetime | None = None
    rollover: int = 0

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(self.meter, self.amount, self.source, self.priority, self.start, self.expire, self.rollover)


@dataclass(frozen=True, slots=True)
class AdjustOrder:
    """A wish to correct credit by `amount` units, of one credit or of the meter as a whole."""

    user: str
    id: UUID
    meter: str
    amount: int
    reason: AdjustmentReason
    credit: UUID | None = None

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(self.meter, self.amount, self.reason, self.credit)

    @property
    def corrects(self) -> list[UUID]:
        """The credits that it may be booked on: the one it names, and the meter's own for corrections."""
        own = uuid5(NAMESPACE, f"{self.user}/{self.meter}/adjustments")
        return [own] if self.credit is None else [self.credit, own]


def grant(account: Account, order: GrantOrder, tariff: Tariff, now: datetime) -> Credit:
    """Adds credit; the same order again gives the same credit."""
    tariff.meters.meter(order.meter)
    earlier = account.earlier_credit(order.id)
    if earlier is not None:
        return answered(order.id, order.fingerprint, earlier.fingerprint, earlier)
    now = account.advance(tariff, now)
    start = order.start or now
    if order.expire is not None and order.expire <= max(now, start):
        fault = Violation("expire_time", "must be in the future and after start_time")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
    credit = Credit(
        id=order.id,
        meter=order.meter,
        source=order.source,
        priority=order.priority,
        amount=order.amount,
        start=start,
        expire=order.expire,
        created=now,
        rollover=order.rollover,
        fingerprint=order.fingerprint,
    )
    if start > now:
        return account.schedule(credit)
    return account.open(replace(credit, balance=order.amount), now, EntryKind.GRANT)


def adjust(account: Account, order: AdjustOrder, tariff: Tariff, now: datetime) -> Adjustment:
    """Corrects credit, below zero if need be; the same order again gives the same adjustment."""
    tariff.meters.meter(order.meter)
    earlier = account.adjustments.get(order.id)
    if earlier is not None:
        return answered(order.id, order.fingerprint, earlier.fingerprint, earlier)
    if not account.version:
        raise NotFound("There is no account of this user.", reason="ACCOUNT_NOT_FOUND")
    now = account.advance(tariff, now)
    credit = _correctable(account, order, now)
    account.keep(replace(credit, state=CreditState.OPEN, adjusted=credit.adjusted or order.amount < 0, ended=None))
    debit, into = (Book.ISSUED, Book.AVAILABLE) if order.amount > 0 else (Book.AVAILABLE, Book.RECLAIMED)
    account.move(EntryKind.ADJUSTMENT, credit.id, debit, into, abs(order.amount), now)
    account.tidy(credit.id, now)
    stand = figures(account, order.meter, tariff, now)
    left = stand.remaining if stand.limit is not None else account.balance(order.meter)
    adjustment = Adjustment(order.id, order.meter, order.amount, order.reason, left, now, order.fingerprint)
    account.adjustments[order.id] = adjustment
    account.changes.adjustments.append(adjustment)
    return adjustment


def _correctable(account: Account, order: AdjustOrder, now: datetime) -> Credit:
    """The credit that a correction is booked on: the one it names while its time is not over, else the meter's own."""
    if order.credit is not None:
        credit = account.earlier_credit(order.credit)
        if credit is None or credit.meter != order.meter or credit.source is Source.PLAN:
            raise NotFound("There is no such credit on this meter.", reason="CREDIT_NOT_FOUND")
        if credit.state is not CreditState.SCHEDULED and (credit.expire is None or now < credit.expire):
            return credit
    own = order.corrects[-1]
    return account.earlier_credit(own) or Credit(
        id=own,
        meter=order.meter,
        source=Source.ADMIN,
        priority=GRANT_PRIORITY,
        amount=0,
        start=now,
        expire=None,
        created=now,
    )
