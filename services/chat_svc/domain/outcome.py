"""How an answer ended, and what it used."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from services.chat_svc.domain.fault import Fault


class FinishReason(Enum):
    """Why an answer is complete: the model had said all, or all that it may; the person, or their credit, ended it."""

    STOP = "stop"
    LENGTH = "length"
    STOPPED = "stopped"
    QUOTA = "quota"


@dataclass(frozen=True)
class Usage:
    """Tokens that an answer used; `estimated` when the model reported none.

    Of the `input_tokens`, the provider had `cached_tokens` in its cache.
    """

    input_tokens: int
    output_tokens: int
    estimated: bool = False
    cached_tokens: int = 0


@dataclass(frozen=True)
class Attempt:
    """One model's part in an answer: how it failed, None for the one that ended it; what it used, as far as it told."""

    model: str
    fault: Fault | None = None
    usage: Usage | None = None
    first_word_seconds: float = 0.0


@dataclass(frozen=True)
class Spent:
    """All that an answer took: every model that was asked, and what the last one costs us, in US dollars."""

    attempts: tuple[Attempt, ...] = ()
    cost: Decimal = Decimal(0)
