"""Entries: what the ledger is made of. Each is a balanced pair: what leaves `debit` enters `credit`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from services.quota_svc.domain.credit import Source


class Book(Enum):
    """The accounts that every user has on every meter."""

    ISSUED = "issued"
    AVAILABLE = "available"
    CONSUMED = "consumed"
    LAPSED = "lapsed"
    RECLAIMED = "reclaimed"


class EntryKind(Enum):
    """Why credit moved."""

    ALLOWANCE = "allowance"
    GRANT = "grant"
    CHARGE = "charge"
    LAPSE = "lapse"
    ROLLOVER = "rollover"
    RETURN = "return"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a charge paid for."""

    resource: str
    model: str
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Entry:
    """`amount` is positive; `balance` is the meter's AVAILABLE account afterwards; numbers rise with time, gapless.

    `credit_id` is None for what a shadow limit let pass: no credit paid for it.
    """

    number: int
    meter: str
    kind: EntryKind
    debit: Book
    credit: Book
    amount: int
    balance: int
    source: Source
    credit_id: UUID | None
    time: datetime
    hold: UUID | None = None
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries; None means all."""

    meter: str | None = None
    source: Source | None = None
    start: datetime | None = None
    end: datetime | None = None
