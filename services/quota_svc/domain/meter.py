"""How one meter of one user stands, and what a hold on it takes from where.

    remaining = (limit - used - held from the allowance) + (granted - held from grants)

`used` and `held from the allowance` are those of the current period; `granted` is what grants added less what was
charged to them. Nothing is clamped: no operation here can make either bracket negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.quota_svc.domain.plan import Allowance, Window


@dataclass(frozen=True)
class Figures:
    """What the ledger says of one meter."""

    used: int = 0
    held_from_allowance: int = 0
    granted: int = 0
    held_from_grants: int = 0


@dataclass(frozen=True)
class Split:
    """Where the units of a hold come from."""

    from_allowance: int
    from_grants: int


@dataclass(frozen=True)
class Meter:
    """A meter at one instant; `allowance` is None where the plan gives nothing on it."""

    name: str
    allowance: Allowance | None
    window: Window
    figures: Figures

    @property
    def unlimited(self) -> bool:
        return self.allowance is not None and self.allowance.amount is None

    @property
    def limit(self) -> int:
        """Units of the current period's allowance; 0 without limit.

        What was taken under a larger plan earlier in the period was allowed then: a smaller plan's limit begins there,
        so that a downgrade costs nobody the credit that they were granted.
        """
        if self.unlimited:
            return 0
        amount = self.allowance.amount if self.allowance is not None else 0
        return max(amount or 0, self.figures.used + self.figures.held_from_allowance)

    @property
    def held(self) -> int:
        return self.figures.held_from_allowance + self.figures.held_from_grants

    @property
    def remaining(self) -> int:
        """Units left; 0 without limit."""
        return 0 if self.unlimited else self._allowance_left + self._grants_left

    @property
    def reset_time(self) -> datetime | None:
        return self.window.end if self.allowance is not None else None

    def split(self, amount: int) -> Split | None:
        """Where `amount` units come from: the allowance first, then grants. None when less is left."""
        if self.unlimited:
            return Split(amount, 0)
        if amount > self.remaining:
            return None
        from_allowance = min(amount, self._allowance_left)
        return Split(from_allowance, amount - from_allowance)

    @property
    def _allowance_left(self) -> int:
        return self.limit - self.figures.used - self.figures.held_from_allowance

    @property
    def _grants_left(self) -> int:
        return self.figures.granted - self.figures.held_from_grants


def window(allowance: Allowance | None, now: datetime) -> Window:
    """The period whose charges count against an allowance; an empty one where there is no allowance."""
    return allowance.period.window(now) if allowance is not None else Window(now, now)
