"""Ending holds: charging what was used, or giving all of it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from runtime.errors import InvalidArgument, OutOfRange
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.credit import CreditState, Source
from services.quota_svc.domain.decision import Figures, figures
from services.quota_svc.domain.entry import Book, EntryKind, Usage
from services.quota_svc.domain.event import Depleted, Low
from services.quota_svc.domain.hold import Hold, HoldState, Line, Lot, Overage
from services.quota_svc.domain.plan import Tariff
from services.quota_svc.domain.request import fingerprint
from services.quota_svc.domain.reserving import draw


@dataclass(frozen=True, slots=True)
class SettleOrder:
    """A wish to charge units, by meter, to a hold."""

    user: str
    hold: UUID
    amounts: dict[str, int]
    usage: Usage | None = None

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(sorted((meter, units) for meter, units in self.amounts.items() if units))


def settle(account: Account, order: SettleOrder, tariff: Tariff, now: datetime) -> Hold:
    """Charges what was used and ends the hold; the same order again gives the same hold."""
    now = account.advance(tariff, now)
    hold = account.hold(order.hold)
    if hold.state is HoldState.SETTLED and hold.settlement == order.fingerprint:
        return hold
    if hold.state is not HoldState.HELD:
        raise hold.over()
    _refuse_excess(hold, order)
    before = {line.meter: figures(account, line.meter, tariff, now) for line in hold.lines}
    lines = tuple(_charged(account, hold, line, order, tariff, now) for line in hold.lines)
    settled = replace(hold, lines=lines, state=HoldState.SETTLED, resolved=now, settlement=order.fingerprint)
    account.keep_hold(settled)
    for credit in [one for one in account.credits.values() if one.meter in before]:
        account.tidy(credit.id, now)
    for meter, stand in before.items():
        _tell(account, meter, stand, tariff, now)
    return settled


def release(account: Account, hold_id: UUID, tariff: Tariff, now: datetime) -> Hold:
    """Gives a hold back; one that ended without a charge before stays as it is."""
    now = account.advance(tariff, now)
    hold = account.hold(hold_id)
    if hold.state is HoldState.SETTLED:
        raise hold.over()
    if hold.state is not HoldState.HELD:
        return hold
    return account.give_back(replace(hold, state=HoldState.RELEASED, resolved=now), now)


def void(account: Account, hold_id: UUID, operator: str, reason: str, tariff: Tariff, now: datetime) -> Hold:
    """Gives a hold back in an operator's name."""
    now = account.advance(tariff, now)
    hold = account.hold(hold_id)
    if hold.state is HoldState.VOIDED:
        return hold
    if hold.state is not HoldState.HELD:
        raise hold.over()
    voided = replace(hold, state=HoldState.VOIDED, resolved=now, voided_by=operator, void_reason=reason)
    return account.give_back(voided, now)


def _refuse_excess(hold: Hold, order: SettleOrder) -> None:
    for meter, units in order.amounts.items():
        line = hold.line(meter)
        if line is None:
            raise InvalidArgument(f"The hold has nothing on the meter {meter!r}.", reason="METER_NOT_HELD")
        if units > line.amount and hold.overage is Overage.REFUSED:
            raise OutOfRange(
                f"The hold keeps {line.amount} {meter} back; {units} cannot be charged to it.",
                reason="AMOUNT_EXCEEDS_HOLD",
                metadata={"meter": meter, "amount": str(units), "held": str(line.amount)},
            )


def _charged(account: Account, hold: Hold, line: Line, order: SettleOrder, tariff: Tariff, now: datetime) -> Line:
    """The line after its charges, an entry a credit."""
    units = order.amounts.get(line.meter, 0)
    charges = _part(line.lots, units)
    stand = figures(account, line.meter, tariff, now)
    excess = units - line.amount if stand.limit is None else min(units - line.amount, stand.remaining)
    beyond = draw(account, line.meter, excess, tariff, now) if excess > 0 else ()
    per_credit: dict[UUID | None, int] = {}
    for lot in (*charges, *beyond):
        per_credit[lot.credit] = per_credit.get(lot.credit, 0) + lot.amount
    for credit_id, amount in per_credit.items():
        _charge(account, hold, line.meter, credit_id, amount, order.usage, now)
    covered = sum(per_credit.values())
    return replace(line, settled=covered, uncovered=units - covered)


def _part(lots: tuple[Lot, ...], units: int) -> list[Lot]:
    """The first `units` of the lots."""
    part = []
    for lot in lots:
        taken = min(units, lot.amount)
        if taken:
            part.append(Lot(lot.credit, taken))
            units -= taken
    return part


def _charge(
    account: Account, hold: Hold, meter: str, credit_id: UUID | None, amount: int, usage: Usage | None, now: datetime
) -> None:
    if credit_id is None:
        source = Source.PLAN
        account.enter(EntryKind.CHARGE, meter, source, None, Book.ISSUED, Book.CONSUMED, amount, now, hold.id, usage)
        return
    credit = account.credits[credit_id]
    # Where there is no limit there is no balance to take it from: it is issued as it is used.
    debit = Book.ISSUED if credit.unlimited else Book.AVAILABLE
    account.move(EntryKind.CHARGE, credit_id, debit, Book.CONSUMED, amount, now, hold.id, usage)
    # What is used of an allowance that a change of plan has ended counts against the new one already.
    if credit.window is not None and credit.state is CreditState.OPEN:
        account.comes_back(credit, amount, hold.created, hold.id)


def _tell(account: Account, meter: str, before: Figures, tariff: Tariff, now: datetime) -> None:
    """The soft limit and the end of the credit are told by the charge that reaches them."""
    after = figures(account, meter, tariff, now)
    if after.limit is None:
        return
    soft = tariff.meters.meter(meter).soft_limit_percent
    left_before, left_after = before.remaining + before.held, after.remaining + after.held
    if before.taken_percent(held=False) < soft <= after.taken_percent(held=False):
        account.changes.events.append(Low(meter, after.taken_percent(held=False), after.remaining, after.reset))
    if left_before > 0 >= left_after:
        account.changes.events.append(Depleted(meter, after.reset))
