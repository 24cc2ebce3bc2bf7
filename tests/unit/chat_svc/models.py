"""Models and clocks for tests."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from decimal import Decimal

from services.chat_svc.domain.crowd import Pause, at_once
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.model import Class, Limits, Model, Prices, Wire
from services.chat_svc.domain.prompt import Prompt

LIMITS = Limits(first_word_seconds=30.0, idle_seconds=20.0)


def model(name: str = "one", model_class: Class = Class.STANDARD, dollars: str = "0") -> Model:
    """A model whose prompt and answer cost so many dollars per million tokens."""
    prices = Prices(Decimal(dollars), Decimal(dollars), Decimal(dollars))
    return Model(name, Wire.OPENAI, name, "", 32_000, 1_000, LIMITS, model_class, prices)


@dataclass
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Silent:
    """A provider that is never asked; it knows whether it was closed."""

    model: Model
    key: str
    closed: bool = False

    def answer(self, prompt: Prompt, prefix: str = "", pause: Pause = at_once) -> AsyncGenerator[str | Completed, None]:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True


@dataclass
class Openings:
    """Gives silent providers and keeps every one."""

    given: list[Silent] = field(default_factory=list)

    def __call__(self, model: Model, key: str) -> Silent:
        self.given.append(Silent(model, key))
        return self.given[-1]

    @property
    def closed(self) -> list[str]:
        """The keys of those that were closed."""
        return [one.key for one in self.given if one.closed]
