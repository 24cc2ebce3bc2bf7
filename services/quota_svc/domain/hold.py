"""Holds: amounts kept back for work in progress, resolved at most once.

HELD ──▶ SETTLED     charged what was used; the rest is free again
  ├────▶ RELEASED    given back
  ├────▶ EXPIRED     gave itself back when its time was over
  └────▶ VOIDED      given back by an operator
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from runtime.errors import FailedPrecondition
from services.quota_svc.domain.request import answered, fingerprint


class HoldState(Enum):
    """How far a hold is."""

    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"
    VOIDED = "voided"


class Mode(Enum):
    """What happens when less is left than was asked for."""

    NORMAL = "normal"
    BEST_EFFORT = "best_effort"


class Overage(Enum):
    """What settling does with more than is held."""

    REFUSED = "refused"
    AVAILABLE = "available"


@dataclass(frozen=True, slots=True)
class ReserveOrder:
    """A wish to keep amounts back: units by meter."""

    user: str
    id: UUID
    amounts: dict[str, int]
    time_to_live: timedelta
    mode: Mode = Mode.NORMAL
    overage: Overage = Overage.REFUSED

    @property
    def fingerprint(self) -> bytes:
        return fingerprint(
            sorted(self.amounts.items()), self.time_to_live.total_seconds(), self.mode.value, self.overage.value
        )

    def answered_by(self, hold: Hold) -> Hold:
        """The hold that an earlier request of the same id took; ALREADY_EXISTS when it asked for something else."""
        return answered(self.id, self.fingerprint, hold.fingerprint, hold)


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of a hold and the credit that they come from; None where a shadow limit let them pass."""

    credit: UUID | None
    amount: int


@dataclass(frozen=True, slots=True)
class Line:
    """One meter's part of a hold. `uncovered` is what was used and found no credit to be charged to."""

    meter: str
    lots: tuple[Lot, ...]
    settled: int = 0
    uncovered: int = 0

    @property
    def amount(self) -> int:
        return sum(lot.amount for lot in self.lots)


@dataclass(frozen=True, slots=True)
class Hold:
    """Amounts kept back, a line a meter."""

    id: UUID
    lines: tuple[Line, ...]
    created: datetime
    expire: datetime
    overage: Overage
    fingerprint: bytes
    state: HoldState = HoldState.HELD
    resolved: datetime | None = None
    voided_by: str | None = None
    void_reason: str | None = None
    # What settling asked for, so that the same request again is known.
    settlement: bytes | None = field(default=None)

    def line(self, meter: str) -> Line | None:
        return next((line for line in self.lines if line.meter == meter), None)

    def over(self) -> FailedPrecondition:
        """The refusal of whatever needs the hold to be live."""
        how = {
            HoldState.SETTLED: "was settled with " + ", ".join(f"{one.settled} {one.meter}" for one in self.lines),
            HoldState.RELEASED: "was released",
            HoldState.EXPIRED: f"expired at {self.expire:%Y-%m-%dT%H:%M:%SZ}",
            HoldState.VOIDED: "was voided by an operator",
        }[self.state]
        return FailedPrecondition(
            f"The hold {how}; a hold resolves once.", reason="HOLD_RESOLVED", metadata={"state": self.state.name}
        )
