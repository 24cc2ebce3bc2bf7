"""How an answer ended, and what it used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from services.chat_svc.domain.fault import Fault

if TYPE_CHECKING:
    from services.chat_svc.domain.routing import Decision


class FinishReason(Enum):
    """Why an answer is complete: the model had said all, or all that it may; the person, or their credit, ended it."""

    STOP = "stop"
    LENGTH = "length"
    STOPPED = "stopped"
    QUOTA = "quota"


@dataclass(frozen=True)
class Usage:
    """Tokens that an answer used, as far as it is shown; `estimated` where one of its models reported none.

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
    """All that an answer took: every model that was asked, and what its usage costs us, in US dollars.

    `unshown` was said, too, and is no part of the answer. `first_word_seconds` is how long the model that is speaking
    now took to begin. `decision` is the last one of who is asked, where the caller wants to know why.
    """

    attempts: tuple[Attempt, ...] = ()
    cost: Decimal = Decimal(0)
    unshown: str = ""
    first_word_seconds: float = 0.0
    decision: Decision | None = None

    def attempted(self, model: str, fault: Fault | None = None, usage: Usage | None = None) -> Spent:
        """With the part of a model that has ended, and says nothing more."""
        attempt = Attempt(model, fault, usage, self.first_word_seconds)
        return replace(self, attempts=(*self.attempts, attempt), first_word_seconds=0.0)
