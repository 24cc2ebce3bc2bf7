"""What is kept of a change beside its entries: corrections, and changes of plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.plan import Allowance


class AdjustmentReason(Enum):
    """Why credit was corrected."""

    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A correction: positive gives, negative takes back. `balance` is what the meter had left afterwards."""

    id: UUID
    meter: str
    amount: int
    reason: AdjustmentReason
    balance: int
    time: datetime
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A user's move from one plan to another."""

    id: UUID
    plan: str
    previous: str
    time: datetime
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """What was used of an allowance whose plan was left, until its period is over: coming back refills nothing."""

    meter: str
    period: Period
    window: timedelta | None
    until: datetime
    units: int

    def counts_against(self, allowance: Allowance) -> bool:
        return (self.meter, self.period, self.window) == (allowance.meter, allowance.period, allowance.window)
