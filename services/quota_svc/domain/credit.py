"""Credit: units of a meter from one source, with a beginning and perhaps an end.

SCHEDULED ──▶ OPEN ──▶ CLOSED      used up, lapsed, or taken back
                └──▶ ENDING ──▶ CLOSED      its time is over, and holds on it are still live
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from uuid import UUID

ENDLESS = datetime.max.replace(tzinfo=UTC)

PLAN_PRIORITY = 10
GRANT_PRIORITY = 100


class Source(Enum):
    """Where credit comes from."""

    PLAN = "plan"
    PURCHASE = "purchase"
    PROMO = "promo"
    REFERRAL = "referral"
    ADMIN = "admin"


class CreditState(Enum):
    """How far a credit is; only an OPEN one is drawn on."""

    SCHEDULED = "scheduled"
    OPEN = "open"
    ENDING = "ending"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Credit:
    """`amount` is None where there is no limit; `balance` is what the ledger says is left, holds not taken off.

    `used` is what was charged, and for an allowance also what the period had used under the plan before. An `allowance`
    is what a plan gives for the period itself, as against credit beside it. `window` is set on rolling allowances: what
    is used comes back so much later. `adjusted` credit may be below zero.
    """

    id: UUID
    meter: str
    source: Source
    priority: int
    amount: int | None
    start: datetime
    expire: datetime | None
    created: datetime
    state: CreditState = CreditState.SCHEDULED
    balance: int = 0
    used: int = 0
    allowance: bool = False
    rollover: int = 0
    window: timedelta | None = None
    adjusted: bool = False
    ended: datetime | None = None
    fingerprint: bytes | None = None

    @property
    def unlimited(self) -> bool:
        return self.amount is None

    @property
    def live(self) -> bool:
        return self.state is not CreditState.CLOSED

    @property
    def due(self) -> datetime:
        """When something happens to it by itself."""
        if self.state is CreditState.SCHEDULED:
            return self.start
        return self.expire or ENDLESS if self.state is CreditState.OPEN else ENDLESS

    @property
    def turn(self) -> tuple[int, datetime, bool, datetime, str]:
        """What credits are drawn on in the order of: priority, then soonest end, then age.

        What has rolled over goes before the allowance that it stands beside: it cannot live on a second time.
        """
        return (self.priority, self.expire or ENDLESS, self.allowance, self.start, str(self.id))
