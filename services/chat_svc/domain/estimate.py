"""What a turn would cost."""

from __future__ import annotations

from dataclasses import dataclass

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
