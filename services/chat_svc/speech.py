"""What a model says, from the first that can say anything, within limits on its silence."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import structlog

from services.chat_svc.domain.conversation import FinishReason, Message
from services.chat_svc.domain.ending import Completed
from services.chat_svc.domain.log import spoken
from services.chat_svc.domain.model import Model, ModelBroke, ModelFault, ModelUnavailable
from services.chat_svc.domain.prompt import Persona, Prompt, prompt
from services.chat_svc.providers import Provider

log = structlog.get_logger()

# Of all models together. The contract lets a stream be silent for 60 s, and it is silent until the first word.
FIRST_WORD_SECONDS_MAX = 50.0
IDLE_SECONDS_MAX = 20.0
ANSWER_CHARACTERS_MAX = 64_000


@dataclass(frozen=True)
class Draft:
    """What the prompt is made of, whichever model gets it."""

    persona: Persona
    history: Sequence[Message]
    text: str
    entitled_tokens: int

    def prompt(self, model: Model) -> Prompt:
        return prompt(self.persona, self.history, self.text, model.prompt_tokens_max(self.entitled_tokens))


class Speech:
    """Tries `providers` in order; `idle_seconds` is how long one may be silent between two words."""

    def __init__(self, providers: Sequence[Provider], idle_seconds: float = IDLE_SECONDS_MAX) -> None:
        self._providers = tuple(providers)
        self._idle_seconds = idle_seconds

    def first_model(self) -> Model | None:
        """The model that is tried first."""
        return self._providers[0].model if self._providers else None

    async def answer(self, draft: Draft) -> AsyncGenerator[str | Completed, None]:
        """The id of the model that answers, then the pieces of its answer, then Completed; or raises ModelFault.

        Before the first word another model takes over from one that fails; after it, nobody does.
        """
        until = asyncio.get_running_loop().time() + FIRST_WORD_SECONDS_MAX
        last: ModelFault = ModelUnavailable("no model is configured")
        for provider in self._providers:
            spoke = False
            try:
                async with aclosing(self._words(provider, draft, until)) as words:
                    async for word in words:
                        if not spoke:
                            spoke = True
                            yield provider.model.id
                        yield word
                return
            except ModelFault as fault:
                log.warning("model failed", model=provider.model.id, fault=type(fault).__name__, told=str(fault))
                if spoke or not fault.elsewhere:
                    raise
                last = fault
        raise last

    async def _words(self, provider: Provider, draft: Draft, until: float) -> AsyncGenerator[str | Completed, None]:
        """The pieces of one model, at least one, then Completed."""
        characters = 0
        silence = min(provider.model.first_word_seconds, until - asyncio.get_running_loop().time())
        async with aclosing(provider.answer(draft.prompt(provider.model))) as stream:
            while True:
                word = await _next(stream, silence)
                if isinstance(word, Completed):
                    if not characters:
                        raise ModelUnavailable("the answer is empty")
                    yield word
                    return
                if text := spoken(word):
                    yield text
                    characters += len(text)
                    silence = self._idle_seconds
                if characters >= ANSWER_CHARACTERS_MAX:
                    yield Completed(FinishReason.LENGTH)
                    return


async def _next(stream: AsyncGenerator[str | Completed, None], seconds: float) -> str | Completed:
    """What comes next within so many seconds. A stream that ends before its model said so is a broken one."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await anext(stream)
    except StopAsyncIteration:
        raise ModelBroke("the stream ended early") from None
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise ModelBroke(f"nothing came for {seconds:.0f} s") from error
