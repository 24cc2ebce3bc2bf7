"""What models say: one answer, from as many models as it takes, within limits on their silence.

There is one loop for everything that is tried again. Before the first word another model takes over unseen. After it
the text goes on where it broke off, if the next model can do that, and otherwise begins anew: either stands in the log
as a Seam. What a stream says before it is cut is never taken for the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from services.chat_svc.domain.conversation import Message, Role
from services.chat_svc.domain.ending import Completed, estimated_tokens
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode
from services.chat_svc.domain.fault import (
    ContextTooLong,
    Cut,
    Empty,
    ModelFault,
    Next,
    PrefillRejected,
    Stalled,
    Unreachable,
)
from services.chat_svc.domain.health import Speed
from services.chat_svc.domain.log import spoken
from services.chat_svc.domain.model import Capability, Class, Model
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent
from services.chat_svc.domain.prompt import Persona, Prompt, prompt
from services.chat_svc.domain.routing import Choice, Decision, Preference, Wanted
from services.chat_svc.router import Asked, Router
from services.chat_svc.siblings import Reservation

log = structlog.get_logger()

# Between two words, whoever says them. The contract lets a stream be silent for 60 s, and it is silent until the first.
SILENCE_SECONDS_MAX = 50.0
ANSWER_CHARACTERS_MAX = 64_000
# Models that may fail in one answer; the person has waited long enough then.
ATTEMPTS_MAX = 6
# Of those, so many after the first word.
SEAMS_MAX = 2
# Of output, where there is no model that says another number.
TOKENS_PER_TURN = 1_000
# A model that is the only one left is asked once more after this, or after what it told.
PAUSE_SECONDS = 0.3
PAUSE_SECONDS_MAX = 10.0


@dataclass(frozen=True)
class Draft:
    """What the prompt is made of, whichever model gets it; `explain` asks for the decision to be told."""

    persona: Persona
    history: Sequence[Message]
    text: str
    entitled_tokens: int
    wanted: Wanted
    tokens_per_turn: int
    explain: bool = False

    def prompt(self, model: Model) -> Prompt:
        return prompt(self.persona, self.history, self.text, model.prompt_tokens_max(self.entitled_tokens))


class Speech:
    """`seconds` is a clock that only goes forward."""

    def __init__(self, router: Router, seconds: Callable[[], float]) -> None:
        self._router = router
        self._seconds = seconds

    def is_premium(self, choice: Choice) -> bool:
        """Whether a choice is one of premium models."""
        named = {model.id: model.model_class for model in self._router.models}.get(choice.model or "")
        return named is Class.PREMIUM or (named is None and choice.preference is Preference.BEST)

    def draft(
        self, persona: Persona, history: Sequence[Message], text: str, reservation: Reservation, choice: Choice
    ) -> Draft:
        """What is asked of models, from those that the reservation pays for."""
        last = next((one.model for one in reversed(history) if one.role is Role.CHARACTER and one.model), None)
        prompt_tokens = estimated_tokens(text) + sum(estimated_tokens(one.text) for one in history)
        wanted = Wanted(
            classes=reservation.classes,
            prompt_tokens=min(prompt_tokens, reservation.context_tokens),
            preference=choice.preference,
            asked=choice.model,
            last=last,
        )
        model = self.first_model(wanted)
        per_turn = model.tokens_per_turn if model else TOKENS_PER_TURN
        return Draft(persona, history, text, reservation.context_tokens, wanted, per_turn, choice.explain)

    def first_model(self, wanted: Wanted) -> Model | None:
        """The model that would be asked."""
        name = next(iter(self._router.decide(wanted).order), None)
        return self._router.model(name) if name is not None else None

    def answer(self, draft: Draft) -> Speaking:
        """An answer that is about to be made."""
        return Speaking(self._router, draft, self._seconds)


class Speaking:
    """One answer. `spent` is what it took so far."""

    def __init__(self, router: Router, draft: Draft, seconds: Callable[[], float]) -> None:
        self.spent = Spent()
        self._router = router
        self._draft = draft
        self._seconds = seconds
        self._wanted = draft.wanted
        self._heard = seconds()
        self._text = ""
        self._speaker = ""
        self._seams = 0
        self._failed: dict[str, ModelFault] = {}
        self._asked: dict[str, int] = {}
        self._anew: set[str] = set()

    async def entries(self) -> AsyncGenerator[Entry | Completed, None]:
        """What goes into the log, then Completed; or raises the ModelFault that nothing could help against."""
        last: ModelFault = Unreachable("no model is configured")
        self._heard = self._seconds()
        while (choice := await self._next()) is not None:
            decision, model = choice
            try:
                async with aclosing(self._one(model, decision, last)) as words:
                    async for word in words:
                        yield word
                return
            except ModelFault as fault:
                log.warning("model failed", model=model.id, fault=fault.kind.value, told=str(fault))
                self._note(model, fault)
                if not self._helps(model, fault):
                    raise
                last = fault
        raise last

    @property
    def _patience(self) -> float:
        """Seconds for which there may still be silence."""
        return self._heard + SILENCE_SECONDS_MAX - self._seconds()

    async def _next(self) -> tuple[Decision, Model] | None:
        """Who is asked now; None when nobody can help any more."""
        if len(self.spent.attempts) >= ATTEMPTS_MAX or self._seams >= SEAMS_MAX or self._patience <= 0:
            return None
        decision = self._router.decide(self._wanted, frozenset(self._failed))
        if not decision.order and (patient := self._patient()) is not None:
            pause = self._failed.pop(patient).retry_after_seconds or PAUSE_SECONDS
            if pause > min(PAUSE_SECONDS_MAX, self._patience):
                return None
            await asyncio.sleep(pause)
            decision = self._router.decide(self._wanted, frozenset(self._failed))
        model = next(iter(decision.order), None)
        return None if model is None else (decision, self._router.model(model))

    def _patient(self) -> str | None:
        """One that failed in a way that may pass, the one that asks for the shortest wait."""
        may = [name for name, fault in self._failed.items() if self._asked[name] <= fault.again]
        return min(may, key=lambda name: self._failed[name].retry_after_seconds or 0.0, default=None)

    def _helps(self, model: Model, fault: ModelFault) -> bool:
        """Whether anybody may succeed where this model failed."""
        self._failed[model.id] = fault
        match fault:
            case PrefillRejected():
                # It can still begin anew.
                self._anew.add(model.id)
                del self._failed[model.id]
            case ContextTooLong():
                self._wanted = replace(self._wanted, larger_than=max(self._wanted.larger_than, model.context_tokens))
        return fault.following is not Next.NOBODY

    def _note(self, model: Model, fault: ModelFault) -> None:
        self.spent = replace(self.spent, attempts=(*self.spent.attempts, Attempt(model.id, fault.kind)))

    async def _one(self, model: Model, decision: Decision, last: ModelFault) -> AsyncGenerator[Entry | Completed, None]:
        """One model's part, begun by the entry that says so at its first word."""
        self._asked[model.id] = self._asked.get(model.id, 0) + 1
        kept = self._kept(model)
        began, first_word, said = self._seconds(), 0.0, ""
        async with self._router.asked(model.id) as asked:
            stream = self._router.provider(model.id).answer(self._draft.prompt(model), prefix=kept)
            async with aclosing(stream):
                silence = min(model.limits.first_word_seconds, self._patience)
                while True:
                    word = await _word(stream, silence)
                    if isinstance(word, Completed):
                        # One that was to go on and has nothing to add does not make a whole of what was cut.
                        if not said:
                            raise Empty("the answer is empty")
                        self._answered(asked, model, word, first_word, self._seconds() - began, said)
                        yield word
                        return
                    text = spoken(word)
                    if not text:
                        continue
                    if not said:
                        first_word = self._seconds() - began
                        yield self._opening(model, decision, last, kept)
                    said += text
                    self._text += text
                    self._heard = self._seconds()
                    silence = model.limits.idle_seconds
                    yield Said(text)
                    if len(self._text) >= ANSWER_CHARACTERS_MAX:
                        ending = Completed(FinishReason.LENGTH)
                        self._answered(asked, model, ending, first_word, self._seconds() - began, said)
                        yield ending
                        return

    def _kept(self, model: Model) -> str:
        """What of the text so far a model goes on with: all of it, or nothing."""
        goes_on = Capability.PREFILL in model.capabilities and model.id not in self._anew
        return self._text.rstrip() if goes_on else ""

    def _opening(self, model: Model, decision: Decision, last: ModelFault, kept: str) -> Entry:
        """What stands before a model's first word."""
        before, self._speaker = self._speaker, model.id
        if not before:
            return Began(model.id, decision if self._draft.explain else None)
        self._seams += 1
        self._text = kept
        mode = SeamMode.CONTINUED if kept else SeamMode.REPLACED
        return Seam(before, model.id, last.kind, mode, len(kept))

    def _answered(
        self, asked: Asked, model: Model, word: Completed, first_word: float, seconds: float, said: str
    ) -> None:
        tokens = word.usage.output_tokens if word.usage else estimated_tokens(said)
        speed = Speed(first_word, tokens / max(seconds - first_word, 0.001)) if said else None
        asked.answered(speed)
        attempt = Attempt(model.id, usage=word.usage, first_word_seconds=first_word)
        cost = model.prices.cost(word.usage) if word.usage else self.spent.cost
        self.spent = Spent((*self.spent.attempts, attempt), cost)


async def _word(stream: AsyncGenerator[str | Completed, None], seconds: float) -> str | Completed:
    """What comes next within so many seconds. A stream that ends before its model said so was cut."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await anext(stream)
    except StopAsyncIteration:
        raise Cut("the stream ended early") from None
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Stalled(f"nothing came for {seconds:.0f} s") from error
