"""What a turn would cost."""

from __future__ import annotations

from dataclasses import dataclass

from services.chat_svc.domain.group import Group
from services.chat_svc.domain.model import Model


@dataclass(frozen=True)
class Estimate:
    """Units of `meter` that a turn likely costs, and at most; `model` is None where none can be asked.

    The images that it would show cost `images` units of `images_meter` beside that.
    """

    meter: str
    likely: int
    maximum: int
    model: Model | None
    prompt_tokens: int
    prompt_tokens_max: int
    affordable: bool
    images: int = 0
    images_meter: str = ""


@dataclass(frozen=True)
class Cost:
    """Units that answers likely cost, and at most; a turn costs `price`."""

    price: int
    likely: int
    maximum: int


def turns_of(tokens: int, tokens_per_turn: int) -> int:
    """Turns that so many tokens of output take; an answer is one turn at least."""
    return max(1, -(-tokens // tokens_per_turn))


def round_cost(group: Group, answers: int, each: Cost) -> Cost:
    """What a round of so many answers costs; the first turn of the first one is made whatever a round may cost."""
    bound = max(each.price, group.credits_max // each.price * each.price)
    return Cost(each.price, min(answers * each.likely, bound), min(answers * each.maximum, bound))
