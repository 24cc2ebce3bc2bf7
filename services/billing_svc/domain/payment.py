"""What a user was charged, what each line of it gave, and what is taken back when the money goes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from services.billing_svc.domain.plan import Interval, Provider


class PaymentState(Enum):
    """How a charge stands. OPEN is not paid: the attempt failed, or is on its way."""

    PAID = "paid"
    OPEN = "open"
    VOID = "void"


@dataclass(frozen=True)
class Line:
    """One thing that is charged for.

    `article` is the plan's or the pack's resource name, `plans/pro` or `packs/small`. `cents` are below zero for an
    unused rest that is counted in the buyer's favour. A `proration` pays for the rest of a period that had begun, and
    gives no credits. `credits` are what the line gives.
    """

    id: str
    article: str
    cents: int
    interval: Interval | None = None
    start: datetime | None = None
    end: datetime | None = None
    proration: bool = False
    credits: int = 0


@dataclass(frozen=True)
class Payment:
    """One charge: an invoice of Stripe's, a transaction of a store's, a payment in crypto currency.

    `id` is the provider's, `agreement` the id of the provider's agreement that it is for, None for packs. `refunded` is
    in cents; `disputed` says that the bank took all of it back.
    """

    provider: Provider
    id: str
    user: str
    state: PaymentState
    cents: int
    currency: str
    time: datetime
    lines: tuple[Line, ...]
    agreement: str | None = None
    refunded: int = 0
    disputed: bool = False
    failed: bool = False
    number: str = ""
    url: str = ""

    @property
    def returned(self) -> int:
        """What went back to the buyer, in cents."""
        return self.cents if self.disputed else min(self.refunded, self.cents)

    @property
    def pays(self) -> bool:
        """Whether it pays for anything: it went through, and did not go back as a whole."""
        if self.state is not PaymentState.PAID:
            return False
        return not self.disputed and (self.cents <= 0 or self.refunded < self.cents)

    def reclaimed(self, line: Line) -> int:
        """Credits of a line that are to be taken back: the share of the money that went back, rounded up."""
        if self.cents <= 0 or not line.credits:
            return 0
        return -(-line.credits * self.returned // self.cents)
