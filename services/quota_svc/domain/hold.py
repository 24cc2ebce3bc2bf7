"""Holds: an amount kept back for work in progress, resolved at most once.

HELD ──▶ SETTLED     charged what was used; the rest is free again
  ├────▶ RELEASED    given back
  └────▶ EXPIRED     gave itself back when its time was over
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from runtime.errors import FailedPrecondition, OutOfRange
from services.quota_svc.domain.entry import EntryKind, Movement, Usage, request_id_reused
from services.quota_svc.domain.meter import Split


class HoldState(Enum):
    """How far a hold is."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True)
class ReserveOrder:
    """A wish to keep an amount back."""

    user: str
    request_id: UUID
    meter: str
    amount: int
    time_to_live: timedelta

    def hold(self, split: Split, now: datetime, hold_id: UUID) -> Hold:
        return Hold(self, hold_id, split, create_time=now)

    def answered_by(self, hold: Hold) -> Hold:
        """The hold that an earlier request of the same id took; ALREADY_EXISTS when it asked for something else."""
        if hold.order != self:
            raise request_id_reused(self.request_id)
        return hold


@dataclass(frozen=True)
class Hold:
    """An amount kept back."""

    order: ReserveOrder
    id: UUID
    split: Split
    create_time: datetime
    state: HoldState = HoldState.HELD
    settled_amount: int = 0

    @property
    def expire_time(self) -> datetime:
        return self.create_time + self.order.time_to_live

    def at(self, now: datetime) -> Hold:
        """The hold as it stands at `now`: expiry needs nobody to happen."""
        expired = self.state is HoldState.HELD and self.expire_time <= now
        return replace(self, state=HoldState.EXPIRED) if expired else self

    def settled(self, amount: int, usage: Usage | None, now: datetime) -> tuple[Hold, list[Movement]]:
        """The hold after charging `amount` units, and the charges: none when the same was settled before."""
        hold = self.at(now)
        if hold.state is HoldState.SETTLED and hold.settled_amount == amount:
            return hold, []
        if hold.state is not HoldState.HELD:
            raise hold._resolved()
        if amount > hold.order.amount:
            raise OutOfRange(
                f"The hold keeps {hold.order.amount} back; {amount} cannot be charged to it.",
                reason="AMOUNT_EXCEEDS_HOLD",
                metadata={"amount": str(amount), "held": str(hold.order.amount)},
            )
        return replace(hold, state=HoldState.SETTLED, settled_amount=amount), hold._charges(amount, usage, now)

    def released(self, now: datetime) -> Hold:
        """The hold after giving it back; one that gave itself back before stays as it is."""
        hold = self.at(now)
        if hold.state is HoldState.SETTLED:
            raise hold._resolved()
        return replace(hold, state=HoldState.RELEASED) if hold.state is HoldState.HELD else hold

    def _charges(self, amount: int, usage: Usage | None, now: datetime) -> list[Movement]:
        """One charge for the allowance's part, one for the grants'; both say the whole use that they paid for."""
        from_allowance = min(amount, self.split.from_allowance)
        parts = {EntryKind.ALLOWANCE_CHARGE: from_allowance, EntryKind.GRANT_CHARGE: amount - from_allowance}
        return [
            Movement(
                user=self.order.user,
                meter=self.order.meter,
                amount=-part,
                kind=kind,
                reserve_time=self.create_time,
                create_time=now,
                hold=self.id,
                usage=usage,
            )
            for kind, part in parts.items()
            if part
        ]

    def _resolved(self) -> FailedPrecondition:
        how = {
            HoldState.SETTLED: f"was settled with {self.settled_amount}",
            HoldState.RELEASED: "was released",
            HoldState.EXPIRED: f"expired at {self.expire_time:%Y-%m-%dT%H:%M:%SZ}",
        }[self.state]
        return FailedPrecondition(
            f"The hold {how}; a hold resolves once.", reason="HOLD_RESOLVED", metadata={"state": self.state.name}
        )
