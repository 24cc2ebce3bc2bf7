"""What is asked of models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.chat_svc.domain.entry import Entry
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.domain.outcome import Attempt
from services.chat_svc.domain.prompt import Prompt, Scene, prompt
from services.chat_svc.domain.routing import Wanted

ANSWER_SECONDS_MAX = 290.0


@dataclass(frozen=True)
class Draft:
    """One answer that is wanted; `explain` asks for the decision to be told.

    Where another process began the answer, `said` is its log so far, `attempts` are the models that it asked, and the
    answer may take `seconds` more.
    """

    scene: Scene
    entitled_tokens: int
    wanted: Wanted
    tokens_per_turn: int
    explain: bool = False
    said: Sequence[Entry] = ()
    attempts: tuple[Attempt, ...] = ()
    seconds: float = ANSWER_SECONDS_MAX

    def prompt(self, model: Model) -> Prompt:
        # Whoever cannot see is told that there were images.
        scene = self.scene if Capability.VISION in model.capabilities else replace(self.scene, shown={})
        return prompt(scene, model.prompt_tokens_max(self.entitled_tokens))
