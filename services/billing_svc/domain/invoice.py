"""A payment as its buyer sees it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from services.billing_svc.domain.payment import Line, Payment


@dataclass(frozen=True)
class Given:
    """A line; `credit` is what quota_svc calls the credits that were given for it, `reclaimed` what was taken back."""

    line: Line
    credit: UUID | None = None
    reclaimed: int = 0


@dataclass(frozen=True)
class Invoice:
    """A payment, and what each of its lines gave."""

    payment: Payment
    lines: tuple[Given, ...]
