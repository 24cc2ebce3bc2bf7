"""Taking holds, and making them larger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from runtime.errors import InvalidArgument, OutOfRange
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.decision import Decision, decide
from services.quota_svc.domain.hold import Hold, HoldState, Line, Lot, Mode, ReserveOrder
from services.quota_svc.domain.meter import CREDITS
from services.quota_svc.domain.plan import Tariff


@dataclass(frozen=True, slots=True)
class ExtendOrder:
    """A wish for a hold to keep these totals back, by meter, and to live so long from now; None leaves its end."""

    user: str
    hold: UUID
    amounts: dict[str, int]
    time_to_live: timedelta | None = None
    mode: Mode = Mode.NORMAL


@dataclass(frozen=True, slots=True)
class Reserved:
    """A hold, and how each meter of it stands now."""

    hold: Hold
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The first meter that had too little left; nothing was taken on any."""

    decision: Decision


def reserve(account: Account, order: ReserveOrder, tariff: Tariff, now: datetime) -> Reserved | Refused:
    """Takes a hold on all meters of the order or on none; the same order again gives the same hold as it stands.

    Credits pay for what a meter has too little of, where it has a price and they are enough.
    """
    now = account.advance(tariff, now)
    earlier = account.earlier_hold(order.id)
    if earlier is not None:
        return _reserved(account, order.answered_by(earlier), tariff, now)
    split = _split(account, order.amounts, order.mode, tariff, now)
    if isinstance(split, Refused):
        paid = _paid(account, order, tariff, now)
        if paid is None:
            return split
        split = paid
    hold = Hold(
        id=order.id,
        lines=tuple(Line(meter, _drawn(account, meter, units, tariff, now)) for meter, units in split.units.items()),
        created=now,
        expire=now + order.time_to_live,
        overage=order.overage,
        fingerprint=order.fingerprint,
    )
    account.keep_hold(hold)
    return Reserved(hold, tuple(split.decisions[line.meter] for line in hold.lines))


def extend(account: Account, order: ExtendOrder, tariff: Tariff, now: datetime) -> Reserved | Refused:
    """Raises a live hold to new totals, on all meters of the order or on none."""
    now = account.advance(tariff, now)
    hold = account.hold(order.hold)
    if hold.state is not HoldState.HELD:
        raise hold.over()
    missing = {meter: units - _line(hold, meter, units).amount for meter, units in order.amounts.items()}
    wanted = {meter: units for meter, units in missing.items() if units}
    split = _split(account, wanted, order.mode, tariff, now) if wanted else Split()
    if isinstance(split, Refused):
        return split
    more = {meter: _drawn(account, meter, units, tariff, now) for meter, units in split.units.items()}
    lines = tuple(replace(line, lots=_joined(line.lots, more.get(line.meter, ()))) for line in hold.lines)
    expire = max(hold.expire, now + order.time_to_live) if order.time_to_live is not None else hold.expire
    if (lines, expire) != (hold.lines, hold.expire):
        hold = account.keep_hold(replace(hold, lines=lines, expire=expire))
    return _reserved(account, hold, tariff, now, split.decisions)


def draw(account: Account, meter: str, units: int, tariff: Tariff, now: datetime) -> tuple[Lot, ...]:
    """Which credits `units` come from, opening an allowance that is drawn on; fewer than `units` when less is left."""
    lots: list[Lot] = []
    for credit in account.lots(meter, tariff, now):
        if not units:
            break
        part = units if credit.unlimited else min(units, account.left(credit))
        if part > 0:
            lots.append(Lot(account.opened(credit, now).id, part))
            units -= part
    return tuple(lots)


@dataclass(frozen=True, slots=True)
class Split:
    """Units to take, by meter, and how each stands afterwards; a refusal that is not enforced stands as it is."""

    units: dict[str, int] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)


def _split(account: Account, amounts: dict[str, int], mode: Mode, tariff: Tariff, now: datetime) -> Split | Refused:
    """What to take of each meter; refused when one has too little, or, as best effort goes, all have nothing."""
    split = Split()
    refusal: Refused | None = None
    for meter, units in amounts.items():
        decision = decide(account, meter, units, tariff, now)
        taken = units if decision.admitted or decision.shadow else max(0, decision.figures.remaining)
        if taken < units:
            refusal = refusal or Refused(decision)
        if taken:
            split.units[meter] = taken
            split.decisions[meter] = decision if decision.shadow else decision.taken(taken)
    if refusal is not None and (mode is Mode.NORMAL or not split.units):
        return refusal
    return split


def _paid(account: Account, order: ReserveOrder, tariff: Tariff, now: datetime) -> Split | None:
    """The order with credits in the place of what there is too little of; None where they do not help."""
    amounts: dict[str, int] = {}
    for meter, units in order.amounts.items():
        price = decide(account, meter, units, tariff, now).price
        payer, cost = (CREDITS, units * price) if price else (meter, units)
        amounts[payer] = amounts.get(payer, 0) + cost
    split = _split(account, amounts, Mode.NORMAL, tariff, now) if order.mode is Mode.NORMAL else None
    return split if isinstance(split, Split) else None


def _drawn(account: Account, meter: str, units: int, tariff: Tariff, now: datetime) -> tuple[Lot, ...]:
    """Credits for exactly `units`; what a shadow limit lets pass has none."""
    lots = draw(account, meter, units, tariff, now)
    rest = units - sum(lot.amount for lot in lots)
    return (*lots, Lot(None, rest)) if rest else lots


def _joined(lots: tuple[Lot, ...], more: tuple[Lot, ...]) -> tuple[Lot, ...]:
    """Both together, a lot a credit, in the order in which they were drawn."""
    units: dict[UUID | None, int] = {}
    for lot in (*lots, *more):
        units[lot.credit] = units.get(lot.credit, 0) + lot.amount
    backed = tuple(Lot(credit, amount) for credit, amount in units.items() if credit is not None)
    return (*backed, Lot(None, units[None])) if None in units else backed


def _line(hold: Hold, meter: str, units: int) -> Line:
    line = hold.line(meter)
    if line is None:
        raise InvalidArgument(f"The hold has nothing on the meter {meter!r}.", reason="METER_NOT_HELD")
    if units < line.amount:
        raise OutOfRange(
            f"The hold keeps {line.amount} {meter} back already; {units} would be less.",
            reason="AMOUNT_BELOW_HOLD",
            metadata={"meter": meter, "amount": str(units), "held": str(line.amount)},
        )
    return line


def _reserved(
    account: Account, hold: Hold, tariff: Tariff, now: datetime, known: Mapping[str, Decision] = MappingProxyType({})
) -> Reserved:
    decisions = (known.get(line.meter) or decide(account, line.meter, 0, tariff, now) for line in hold.lines)
    return Reserved(hold, tuple(decisions))
