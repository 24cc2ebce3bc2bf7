"""What quota_svc is to be told, each with the id that makes it happen once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID, uuid5

# The names of effects are made in this namespace, so that the same cause has the same id everywhere and for ever.
NAMESPACE = UUID("8d0c6f3e-5d0b-4f0e-9d3f-6a4c7f1e2b90")


class Why(Enum):
    """Why credits are taken back, or given again."""

    REFUND = "refund"
    CHARGEBACK = "chargeback"
    CORRECTION = "correction"


class Source(Enum):
    """Where granted credits come from."""

    PURCHASE = "purchase"
    PROMO = "promo"


@dataclass(frozen=True)
class SetPlan:
    """Puts the user on a plan; `reset` starts all allowances anew, as a purchase does."""

    id: UUID
    plan: str
    reset: bool = False
    anchor: datetime | None = None


@dataclass(frozen=True)
class Grant:
    """Gives credits that never end."""

    id: UUID
    credits: int
    source: Source


@dataclass(frozen=True)
class Adjust:
    """Takes credits of a grant back, below zero, or gives them again."""

    id: UUID
    credits: int
    why: Why
    grant: UUID


Effect = SetPlan | Grant | Adjust


def plan_id(user: str, revision: int) -> UUID:
    """The id of the change that brings a user's subscription to a revision."""
    return uuid5(NAMESPACE, f"plan/{user}/{revision}")


def grant_id(provider: str, line: str) -> UUID:
    """The id of the credits that an invoice's line gives."""
    return uuid5(NAMESPACE, f"grant/{provider}/{line}")


def adjustment_id(grant: UUID, number: int) -> UUID:
    """The id of the `number`th adjustment of a grant."""
    return uuid5(NAMESPACE, f"adjust/{grant}/{number}")
