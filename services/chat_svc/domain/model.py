"""Models as data: what each can do, holds and costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from services.chat_svc.domain.outcome import Usage

TOKENS_PER_PRICE = 1_000_000
# Between two words, whoever says them. The contract lets a stream be silent for 60 s, and it is silent until the first.
SILENCE_SECONDS_MAX = 50.0


class Wire(Enum):
    """The protocol that a provider speaks."""

    ANTHROPIC = "anthropic"
    OPENAI = "openai"


class Class(Enum):
    """Which plans a model is for: STANDARD for all, PREMIUM for those that give premium turns."""

    STANDARD = "standard"
    PREMIUM = "premium"


def classes(*, premium: bool) -> frozenset[Class]:
    """The classes that somebody may ask, who has premium turns or does not."""
    return frozenset(Class) if premium else frozenset({Class.STANDARD})


class Capability(Enum):
    """What not every model can do. PREFILL: it goes on with an answer that another one began."""

    VISION = "vision"
    PREFILL = "prefill"
    TOOLS = "tools"


@dataclass(frozen=True)
class Prices:
    """US dollars per million tokens; `cached` for those of the prompt that the provider had in its cache."""

    input: Decimal = Decimal(0)
    cached: Decimal = Decimal(0)
    output: Decimal = Decimal(0)

    def cost(self, usage: Usage) -> Decimal:
        """What an answer cost, in US dollars."""
        fresh = max(usage.input_tokens - usage.cached_tokens, 0)
        parts = self.input * fresh + self.cached * usage.cached_tokens + self.output * usage.output_tokens
        return parts / TOKENS_PER_PRICE


@dataclass(frozen=True)
class Limits:
    """How long a model may be silent, in seconds: before its first word, and between two words."""

    first_word_seconds: float
    idle_seconds: float


@dataclass(frozen=True)
class Model:
    """One entry of the model list that this machine can reach.

    `provider_model` is the provider's own name for it; empty means the first that the provider lists. A unit of the
    meter pays for `tokens_per_turn` tokens of output. A `last_resort` is asked where no other model can be. Where there
    are `window_tokens`, no history fills a prompt beyond them.
    """

    id: str
    wire: Wire
    provider_model: str
    base_url: str
    context_tokens: int
    output_tokens_max: int
    limits: Limits
    model_class: Class = Class.STANDARD
    prices: Prices = field(default_factory=Prices)
    capabilities: frozenset[Capability] = frozenset()
    tokens_per_turn: int = 1000
    last_resort: bool = False
    window_tokens: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def room(self) -> int:
        """Tokens that it holds beside its answer."""
        return self.context_tokens - self.output_tokens_max

    def prompt_tokens_max(self, entitled_tokens: int) -> int:
        """Tokens that a prompt may be filled up to: what the plan allows, within the model's room and window."""
        return min(entitled_tokens, self.room, self.window_tokens or self.room)
