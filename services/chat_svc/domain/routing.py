"""Which model is asked, and which one after it: a decision that says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from services.chat_svc.domain.health import Health
from services.chat_svc.domain.model import Capability, Class, Model
from services.chat_svc.domain.outcome import Usage

# What an answer is like, when models are compared.
EXPECTED_OUTPUT_TOKENS = 200
# What failed lately is slower than it looks: a model that always fails, by so many seconds.
SECONDS_PER_FAILURE_SHARE = 10.0
# To stay with the model that spoke last is worth so much waiting, where the caller says what matters to them.
STICKY_SECONDS = 2.0


class Preference(Enum):
    """What matters to the caller."""

    BALANCED = "balanced"
    FAST = "fast"
    CHEAP = "cheap"
    BEST = "best"


# A dollar weighs as much as so many seconds of waiting, by what the caller prefers.
SECONDS_PER_DOLLAR = {
    Preference.BALANCED: 500.0,
    Preference.FAST: 50.0,
    Preference.CHEAP: 20_000.0,
    Preference.BEST: 0.0,
}


class Skipped(Enum):
    """Why a model is not asked."""

    CLASS = "class"
    CAPABILITY = "capability"
    CONTEXT = "context"
    RESTING = "resting"
    FAILED = "failed"


# What no waiting helps against.
UNABLE = frozenset({Skipped.CLASS, Skipped.CAPABILITY, Skipped.CONTEXT})


@dataclass(frozen=True)
class Choice:
    """What the caller says of who should answer; `explain` asks to be told why it is the one that it is."""

    model: str | None = None
    preference: Preference = Preference.BALANCED
    explain: bool = False


@dataclass(frozen=True)
class Wanted:
    """What is asked for. `asked` is a model that the caller names, `last` the one that spoke last in the conversation.

    `classes` are those that the turn pays for; `prompt_tokens` and `least_tokens` estimates, of the whole prompt and of
    what of it cannot be left out. `larger_than` is the context of a model that the prompt was too long for.
    """

    classes: frozenset[Class]
    prompt_tokens: int
    preference: Preference = Preference.BALANCED
    asked: str | None = None
    last: str | None = None
    capabilities: frozenset[Capability] = frozenset()
    larger_than: int = 0
    least_tokens: int = 0


@dataclass(frozen=True)
class Candidate:
    """A model as it was judged: `seconds` is its score, less is better; `skipped` is why it is not asked."""

    model: str
    premium: bool
    seconds: float
    dollars: float
    first_word_seconds: float
    skipped: Skipped | None = None
    sticks: bool = False


@dataclass(frozen=True)
class Decision:
    """Every model, the one to ask first, then those that follow; those that are skipped at the end."""

    candidates: tuple[Candidate, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """The models that may be asked."""
        return tuple(one.model for one in self.candidates if one.skipped is None)

    @property
    def resting(self) -> tuple[str, ...]:
        """The models that could be asked if they did not rest."""
        return tuple(one.model for one in self.candidates if one.skipped is Skipped.RESTING)

    @property
    def able(self) -> frozenset[str]:
        """The models that could answer, though some of them cannot be asked just now."""
        return frozenset(one.model for one in self.candidates if one.skipped not in UNABLE)


def decide(
    models: Iterable[Model],
    health: Mapping[str, Health],
    wanted: Wanted,
    now: float,
    failed: frozenset[str] = frozenset(),
) -> Decision:
    """Judges every model. What the caller named goes first, then what spoke last, then by score.

    A model that rests is skipped even if it was named or spoke last: stickiness yields to health. It yields to what the
    caller prefers, too: where they say it, what spoke last is merely a little better than its score. A last resort
    comes behind all others unless it is named. Where nobody else is left, those that rest are asked after all, each by
    one at a time, and none before the time that it told.
    """
    listed = {model.id: model for model in models}
    judged = [_judged(model, health[model.id], wanted, now, failed) for model in listed.values()]
    if not any(one.skipped is None for one in judged):
        judged = [_awake(one) if health[one.model].admits_alone(now) else one for one in judged]
    return Decision(tuple(sorted(judged, key=lambda one: _place(one, listed[one.model], wanted))))


def _judged(model: Model, health: Health, wanted: Wanted, now: float, failed: frozenset[str]) -> Candidate:
    speed = health.expected(now)
    usage = Usage(wanted.prompt_tokens, EXPECTED_OUTPUT_TOKENS)
    dollars = float(model.prices.cost(usage))
    waiting = speed.first_word_seconds + EXPECTED_OUTPUT_TOKENS / max(speed.tokens_per_second, 1.0)
    shaky = SECONDS_PER_FAILURE_SHARE * health.failing(now)
    return Candidate(
        model.id,
        model.model_class is Class.PREMIUM,
        waiting + shaky + SECONDS_PER_DOLLAR[wanted.preference] * dollars,
        dollars,
        speed.first_word_seconds,
        _skipped(model, health, wanted, now, failed),
        model.id == wanted.last,
    )


def _skipped(model: Model, health: Health, wanted: Wanted, now: float, failed: frozenset[str]) -> Skipped | None:
    reasons = {
        Skipped.CLASS: model.model_class not in wanted.classes,
        Skipped.CAPABILITY: not wanted.capabilities <= model.capabilities,
        Skipped.CONTEXT: model.context_tokens <= wanted.larger_than or model.room < wanted.least_tokens,
        Skipped.FAILED: model.id in failed,
        Skipped.RESTING: not health.admits(now),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def _awake(one: Candidate) -> Candidate:
    return replace(one, skipped=None) if one.skipped is Skipped.RESTING else one


def _place(one: Candidate, model: Model, wanted: Wanted) -> tuple[bool, bool, bool, bool, bool, float, str]:
    balanced = wanted.preference is Preference.BALANCED
    return (
        one.skipped is not None,
        one.model != wanted.asked,
        model.last_resort,
        wanted.preference is Preference.BEST and not one.premium,
        balanced and not one.sticks,
        one.seconds - (STICKY_SECONDS if one.sticks and not balanced else 0.0),
        one.model,
    )


def decision_to_json(decision: Decision) -> list[dict[str, Any]]:
    """A decision as it is kept."""
    return [{**asdict(one), "skipped": one.skipped.value if one.skipped else None} for one in decision.candidates]


def decision_from_json(kept: list[dict[str, Any]]) -> Decision:
    """The decision that `decision_to_json` made it of."""
    return Decision(
        tuple(Candidate(**{**one, "skipped": Skipped(one["skipped"]) if one["skipped"] else None}) for one in kept)
    )
