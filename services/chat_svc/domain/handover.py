"""An answer that one process leaves to another in the middle."""

from dataclasses import dataclass

from services.chat_svc.domain.model import Class
from services.chat_svc.domain.outcome import Attempt
from services.chat_svc.domain.routing import Choice


@dataclass(frozen=True)
class Handover:
    """What the next process must know beside the message and its log.

    The hold is one of `turns` turns, each of which pays for `tokens_per_turn` tokens of output, and the plan behind it
    pays for `classes` of models and for prompts of `context_tokens`. `attempts` are the models that were asked so far,
    `choice` is what the caller said of them. The answer may take `seconds` more. It may cost `units_max`, None where
    that is not limited, and costs `turns_max` turns at most, None where that is not known.
    """

    turns: int
    tokens_per_turn: int
    context_tokens: int
    classes: frozenset[Class]
    choice: Choice
    seconds: float
    attempts: tuple[Attempt, ...] = ()
    units_max: int | None = None
    turns_max: int | None = None
