"""Movements of credit: what the ledger is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from runtime.errors import AlreadyExists


class EntryKind(Enum):
    """Why credit moved."""

    ALLOWANCE_CHARGE = "allowance_charge"
    GRANT_CHARGE = "grant_charge"
    GRANT = "grant"


@dataclass(frozen=True)
class Usage:
    """What a charge paid for."""

    resource: str
    model: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Movement:
    """Credit that moves: positive for a grant, negative for a charge.

    A charge counts in the period of `reserve_time`, when its hold was taken; a grant's is when it was made.
    """

    user: str
    meter: str
    amount: int
    kind: EntryKind
    reserve_time: datetime
    create_time: datetime
    hold: UUID | None = None
    usage: Usage | None = None
    request_id: UUID | None = None


@dataclass(frozen=True)
class Entry:
    """A movement in the ledger; numbers rise with time."""

    number: int
    movement: Movement


@dataclass(frozen=True)
class GrantOrder:
    """A wish to add credit."""

    user: str
    request_id: UUID
    meter: str
    amount: int

    def movement(self, now: datetime) -> Movement:
        return Movement(
            user=self.user,
            meter=self.meter,
            amount=self.amount,
            kind=EntryKind.GRANT,
            reserve_time=now,
            create_time=now,
            request_id=self.request_id,
        )

    def answered_by(self, entry: Entry) -> Entry:
        """The entry that an earlier request of the same id made; ALREADY_EXISTS when it asked for something else."""
        if (entry.movement.meter, entry.movement.amount) != (self.meter, self.amount):
            raise request_id_reused(self.request_id)
        return entry


def request_id_reused(request_id: UUID) -> AlreadyExists:
    return AlreadyExists(
        "This request_id was used for another request; a new request needs a new one.",
        reason="REQUEST_ID_REUSED",
        metadata={"request_id": str(request_id)},
    )
