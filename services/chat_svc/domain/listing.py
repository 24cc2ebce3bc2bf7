"""The models as a caller may see them: what each is, whether it is for them, and how it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.chat_svc.domain.health import Health, Speed, Standing
from services.chat_svc.domain.model import Class, Model
from services.chat_svc.domain.routing import Wanted, decide

# The prompt by which models are compared when there is none.
TYPICAL_PROMPT_TOKENS = 2_000


@dataclass(frozen=True)
class Listed:
    """One model; `speed` is None before its first answer, `rests_seconds` how long nobody asks it."""

    model: Model
    entitled: bool
    standing: Standing
    rests_seconds: float
    speed: Speed | None
    answers: int
    failures: int


def listing(
    models: Iterable[Model], health: Mapping[str, Health], classes: frozenset[Class], now: float
) -> tuple[Listed, ...]:
    """Every model, the one that would be asked first in front; those that rest or are not for the caller at the end."""
    by_id = {model.id: model for model in models}
    decision = decide(by_id.values(), health, Wanted(classes, TYPICAL_PROMPT_TOKENS), now)
    return tuple(_listed(by_id[one.model], health[one.model], classes, now) for one in decision.candidates)


def _listed(model: Model, health: Health, classes: frozenset[Class], now: float) -> Listed:
    return Listed(
        model,
        model.model_class in classes,
        health.standing(now),
        health.rests_for(now),
        health.speed,
        health.answers,
        health.failures,
    )
