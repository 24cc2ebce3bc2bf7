"""What a turn would cost."""

from __future__ import annotations

from dataclasses import dataclass

from services.chat_svc.domain.group import Group
from services.chat_svc.domain.model import Model


@dataclass(frozen=True)
class Estimate:
    """Units of `meter` that a turn likely costs, and at most; `model` is None where none is configured."""

    meter: str
    likely: int
    maximum: int
    model: Model | None
    prompt_tokens: int
    prompt_tokens_max: int
    affordable: bool


@dataclass(frozen=True)
class Cost:
    """Units that answers likely cost, and at most; a turn costs `price`."""

    price: int
    likely: int
    maximum: int


def round_cost(group: Group, answers: int, each: Cost) -> Cost:
    """What a round of so many answers costs; the first one is made whatever the group lets a round cost."""
    bound = max(each.price, group.credits_max // each.price * each.price)
    return Cost(each.price, min(answers * each.likely, bound), min(answers * each.maximum, bound))
