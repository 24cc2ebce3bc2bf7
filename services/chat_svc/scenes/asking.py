"""One cheap model is asked something behind the scenes. Nobody pays for it, so it is bounded in every way."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import structlog
from opentelemetry import metrics

from runtime.telemetry import SCOPE
from services.chat_svc.domain.aside import Aside
from services.chat_svc.domain.ending import Completed, estimated_tokens
from services.chat_svc.domain.fault import ModelFault
from services.chat_svc.domain.log import spoken
from services.chat_svc.domain.model import Class, Model
from services.chat_svc.domain.routing import Preference, Wanted
from services.chat_svc.models.router import Router

log = structlog.get_logger()

ASIDE_SECONDS_MAX = 15.0
# In a process, at a time; what is one too many is dropped.
ASKED_MAX = 4


class Asking:
    """The cheapest of the standard models that is there is asked, and no other one where it fails."""

    def __init__(self, router: Router, meter: metrics.Meter | None = None) -> None:
        self._router = router
        self._asked = 0
        self._asides = (meter or metrics.get_meter(SCOPE)).create_counter("chat.asides")

    async def ask(self, aside: Aside) -> str:
        """What the model says, as far as the aside lets it; empty where it says nothing, or nobody can be asked."""
        model = self._model(aside)
        if model is None or self._asked >= ASKED_MAX:
            self._asides.add(1, {"outcome": "dropped"})
            return ""
        self._asked += 1
        try:
            async with asyncio.timeout(ASIDE_SECONDS_MAX):
                said = await self._answer(model.id, aside)
        except (ModelFault, TimeoutError) as error:
            log.info("aside failed", model=model.id, error=type(error).__name__)
            self._asides.add(1, {"outcome": "failed"})
            return ""
        finally:
            self._asked -= 1
        self._asides.add(1, {"outcome": "answered"})
        return said

    def has_room(self, aside: Aside) -> bool:
        """Whether somebody can be asked who has room for it."""
        return self._model(aside) is not None

    def _model(self, aside: Aside) -> Model | None:
        """A last resort is too weak to be asked."""
        tokens = aside.prompt.tokens
        wanted = Wanted(frozenset({Class.STANDARD}), tokens, Preference.CHEAP)
        models = map(self._router.model, self._router.decide(wanted).order)
        return next((one for one in models if not one.last_resort and one.prompt_tokens_max(tokens) >= tokens), None)

    async def _answer(self, model: str, aside: Aside) -> str:
        said = ""
        async with (
            self._router.asked(model) as asked,
            aclosing(self._router.provider(model).answer(aside.prompt)) as words,
        ):
            async for word in words:
                if isinstance(word, Completed):
                    break
                said += spoken(word)
                if estimated_tokens(said) >= aside.tokens_max:
                    # A line that is cut off is none, unless there is no other.
                    said = said.rpartition("\n")[0] or said
                    break
            asked.answered(None)
        return said
