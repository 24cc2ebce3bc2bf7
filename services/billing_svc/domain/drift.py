"""How what is kept here differs from what the others say, and what a reconciliation tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from services.billing_svc.domain.plan import Provider


class DriftKind(Enum):
    """What differs; the words label a metric."""

    AGREEMENT_UNKNOWN = "agreement_unknown"
    AGREEMENT_DIFFERS = "agreement_differs"
    AGREEMENT_GONE = "agreement_gone"
    PAYMENT_UNKNOWN = "payment_unknown"
    PAYMENT_DIFFERS = "payment_differs"
    PLAN_DIFFERS = "plan_differs"
    CREDIT_MISSING = "credit_missing"
    EFFECT_STUCK = "effect_stuck"
    OWNER_UNKNOWN = "owner_unknown"


@dataclass(frozen=True)
class Drift:
    """One difference; `user` is "" where none of ours is known. `ours` and `theirs` are for a person."""

    kind: DriftKind
    user: str
    id: str
    ours: str
    theirs: str
    repaired: bool = False


@dataclass(frozen=True)
class Scope:
    """What is compared: one user's or, with None, everybody's; and whether what is safe is repaired."""

    user: str | None = None
    repairs: bool = True


@dataclass(frozen=True)
class Compared:
    """That so many more agreements, payments and accounts were compared."""

    count: int


@dataclass(frozen=True)
class Progress:
    """That so many were compared until now."""

    compared: int


@dataclass(frozen=True)
class Finished:
    """That the reconciliation is done."""

    compared: int
    drifts: int
    repaired: int


@dataclass(frozen=True)
class Failed:
    """That it could not go on; what was told and repaired until then stands."""

    reason: str
    message: str


Told = Progress | Drift | Finished | Failed


@dataclass(frozen=True)
class Account:
    """A user as quota_svc should have them. `told` says that no change of plan is still on its way there."""

    user: str
    plan: str
    told: bool


@dataclass(frozen=True)
class Given:
    """Credits that a line of a payment gave: the grant, and what of it was taken back, in so many steps.

    `told` says that nothing about it is still on its way to quota_svc.
    """

    user: str
    provider: Provider
    payment: str
    line: str
    grant: UUID
    credits: int
    reclaimed: int
    adjustments: int
    disputed: bool
    told: bool


@dataclass(frozen=True)
class Entered:
    """What quota_svc's ledger has of a grant: the credits, None where it was never made, and what was taken back."""

    credits: int | None = None
    reclaimed: int = 0


@dataclass(frozen=True)
class Stuck:
    """An effect that waits for too long, or was refused: `refused` is the reason."""

    user: str
    number: int
    id: UUID
    kind: str
    attempts: int
    refused: str | None
