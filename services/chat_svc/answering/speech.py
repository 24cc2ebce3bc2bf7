"""What models say: one answer, from as many models as it takes, within limits on their silence.

There is one loop for everything that is tried again. Before the first word another model takes over unseen, and one
that is slow with it may get company. After it the text goes on where it broke off, if the next model can do that, and
otherwise begins anew: either stands in the log as a Seam. What a stream says before it is cut is never taken for the
whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import replace

import structlog

from services.chat_svc.answering import refusals
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.hedging import Race
from services.chat_svc.answering.voice import Voice, next_word
from services.chat_svc.domain.conversation import Role
from services.chat_svc.domain.crowd import Crowd, Pause
from services.chat_svc.domain.ending import Completed, estimated_tokens
from services.chat_svc.domain.entry import Began, Entry, Said, Seam, SeamMode, model_of, text_of
from services.chat_svc.domain.fault import (
    ContextTooLong,
    Cut,
    Empty,
    HandedOver,
    ModelFault,
    Next,
    Outrun,
    PrefillRejected,
    Unreachable,
)
from services.chat_svc.domain.health import Speed, Standing
from services.chat_svc.domain.hedging import Hedges
from services.chat_svc.domain.model import SILENCE_SECONDS_MAX, Capability, Class, Model, Prices
from services.chat_svc.domain.outcome import Attempt, FinishReason, Spent
from services.chat_svc.domain.own_name import Unnamed, own_names
from services.chat_svc.domain.prompt import Scene, least_tokens
from services.chat_svc.domain.routing import Choice, Decision, Preference, Skipped, Wanted
from services.chat_svc.models.router import Router
from services.chat_svc.siblings import Reservation

log = structlog.get_logger()

ANSWER_CHARACTERS_MAX = 64_000
# Models that may fail in one answer; the person has waited long enough then.
ATTEMPTS_MAX = 6
# Of those, so many after the first word.
SEAMS_MAX = 2
# Of output, where there is no model that says another number.
TOKENS_PER_TURN = 1_000
# A model that is the only one left is asked once more after this, or after what it told.
PAUSE_SECONDS = 0.3
# So that a rest is over for certain.
BEHIND_SECONDS = 0.001
PAUSE_SECONDS_MAX = 10.0
# Who is waited for must have so long for its first word, or would be blamed for the silence before it.
LATE_WORD_SECONDS = 5.0


class Speech:
    """`seconds` is a clock that only goes forward; `crowd` is told how many answers are being made."""

    def __init__(self, router: Router, seconds: Callable[[], float], hedges: Hedges | None = None) -> None:
        self.crowd = Crowd()
        self._router = router
        self._seconds = seconds
        self._hedges = hedges or Hedges()

    def check(self, choice: Choice) -> None:
        """NOT_FOUND (reason MODEL_NOT_FOUND) where the caller names a model that there is not."""
        if choice.model is not None and choice.model not in {model.id for model in self._router.models}:
            raise refusals.no_such_model()

    def _is_premium(self, choice: Choice) -> bool:
        named = {model.id: model.model_class for model in self._router.models}.get(choice.model or "")
        return named is Class.PREMIUM or (named is None and choice.preference is Preference.BEST)

    def needs_premium(self, sees: bool, choice: Choice) -> bool:
        """Whether a turn is to be a premium one: such a model is chosen, or no other can be asked just now.

        That is so where all others rest, or do not see what the person shows. FAILED_PRECONDITION where none sees it.
        """
        capabilities = frozenset({Capability.VISION} if sees else ())
        able = [model for model in self._router.models if capabilities <= model.capabilities]
        if sees and not able:
            raise refusals.none_sees()
        order = self._router.decide(Wanted(frozenset(Class), 0, capabilities=capabilities)).order
        asked = {self._router.model(name).model_class for name in order} or {model.model_class for model in able}
        return self._is_premium(choice) or asked == {Class.PREMIUM}

    def draft(self, scene: Scene, reservation: Reservation, choice: Choice) -> Draft:
        """What is asked of models, from those that the reservation pays for."""
        last = next((one.model for one in reversed(scene.history) if one.role is Role.CHARACTER and one.model), None)
        prompt_tokens = estimated_tokens(scene.text or "") + sum(estimated_tokens(one.text) for one in scene.history)
        wanted = Wanted(
            classes=reservation.classes,
            prompt_tokens=min(prompt_tokens, reservation.context_tokens),
            preference=choice.preference,
            asked=choice.model,
            last=last,
            capabilities=frozenset({Capability.VISION}) if scene.is_to_be_seen else frozenset(),
            least_tokens=least_tokens(scene),
        )
        model = self.first_model(wanted)
        per_turn = model.tokens_per_turn if model else TOKENS_PER_TURN
        return Draft(scene, reservation.context_tokens, wanted, per_turn, choice.explain)

    def check_able(self, draft: Draft) -> None:
        """FAILED_PRECONDITION where none that the turn pays for could answer, however well they all were.

        Reason PROMPT_TOO_LONG where what must be said to them is more than they hold, NO_MODEL_FOR_IMAGES where none
        sees what is shown.
        """
        decision = self._router.decide(draft.wanted)
        if decision.able:
            return
        small = [one.model for one in decision.candidates if one.skipped is Skipped.CONTEXT]
        if small:
            others = self._router.decide(replace(draft.wanted, classes=frozenset(Class))).able
            most = max(self._router.model(name).room for name in small)
            said_now = draft.scene.text is not None
            raise refusals.too_long(draft.wanted, most, said_now=said_now, for_premium=bool(others))
        if draft.scene.is_to_be_seen:
            raise refusals.none_paid_for_sees()

    def check_awake(self, wanted: Wanted) -> None:
        """UNAVAILABLE (reason MODEL_UNAVAILABLE) where all who could be asked rest, with how long they do."""
        decision = self._router.decide(wanted)
        if decision.resting and not decision.order:
            now = self._seconds()
            raise refusals.all_rest(min(self._router.health(name).rests_for(now) for name in decision.resting))

    def first_model(self, wanted: Wanted) -> Model | None:
        """The model that would be asked."""
        name = next(iter(self._router.decide(wanted).order), None)
        return self._router.model(name) if name is not None else None

    @property
    def prices(self) -> Mapping[str, Prices]:
        """What each model on the list takes."""
        return {model.id: model.prices for model in self._router.models}

    def output_tokens_max(self, wanted: Wanted) -> int:
        """What the longest answer has, whichever of the models gives it, those that rest just now among them."""
        able = self._router.decide(wanted).able
        return max((self._router.model(name).output_tokens_max for name in able), default=0)

    def answer(self, draft: Draft) -> Speaking:
        """An answer that is about to be made."""
        return Speaking(self._router, draft, self._seconds, self._hedges, self.crowd.pause)


class Speaking:
    """One answer. `spent` is what it took so far."""

    def __init__(
        self, router: Router, draft: Draft, seconds: Callable[[], float], hedges: Hedges, pause: Pause
    ) -> None:
        self.spent = Spent(draft.attempts)
        self._router = router
        self._draft = draft
        self._seconds = seconds
        self._hedges = hedges
        self._pause = pause
        self._wanted = draft.wanted
        self._heard = seconds()
        self._text = text_of(draft.said)
        self._speaker = model_of(draft.said)
        # How the one that spoke last broke off.
        self._broke: ModelFault = Cut("it broke off")
        self._seams = 0
        self._failed: dict[str, ModelFault] = {}
        self._asked: dict[str, int] = {}
        self._anew: set[str] = set()

    async def entries(self) -> AsyncGenerator[Entry | Completed, None]:
        """What goes into the log, then Completed; or raises the ModelFault that nothing could help against."""
        last: ModelFault = Unreachable("no model is configured")
        if self._draft.said:
            last = self._broke = HandedOver("another process listened to it")
        self._heard = self._seconds()
        self._hedges.answer()
        while (choice := await self._next()) is not None:
            try:
                async with await self._voice(*choice) as voice, aclosing(self._said(voice)) as words:
                    async for word in words:
                        yield word
                return
            except ModelFault as fault:
                if fault.following is Next.NOBODY:
                    raise
                last = fault
        raise self._in_the_end(last)

    def _in_the_end(self, last: ModelFault) -> ModelFault:
        """What nothing helped against. Who might hold a prompt that was too long for others may be well again later."""
        if isinstance(last, ContextTooLong) and self._decided().able:
            return Unreachable("who holds more cannot be asked")
        return last

    @property
    def _patience(self) -> float:
        """Seconds for which there may still be silence."""
        return self._heard + SILENCE_SECONDS_MAX - self._seconds()

    async def _next(self) -> tuple[Decision, Model] | None:
        """Who is asked now; None when nobody can help any more."""
        if len(self.spent.attempts) >= ATTEMPTS_MAX or self._seams >= SEAMS_MAX or self._patience <= 0:
            return None
        decision = self._decided()
        if not decision.order and (patient := self._patient()) is not None:
            pause = self._failed.pop(patient).retry_after_seconds or PAUSE_SECONDS
            if pause > min(PAUSE_SECONDS_MAX, self._patience):
                return None
            await asyncio.sleep(pause + BEHIND_SECONDS)
            decision = self._decided()
        # What has begun is not given up for a model that rests, or that somebody else is trying just now.
        while self._text and not decision.order and self._may_wake(decision):
            await asyncio.sleep(PAUSE_SECONDS)
            decision = self._decided()
        model = next(iter(decision.order), None)
        return None if model is None else (decision, self._router.model(model))

    def _may_wake(self, decision: Decision) -> bool:
        """Whether one who cannot be asked just now may be, before the silence is too long."""
        now = self._seconds()
        left = self._patience - LATE_WORD_SECONDS
        return any(self._router.health(name).told_for(now) < left for name in decision.resting)

    def _decided(self) -> Decision:
        """Who is asked now, and why; kept where the caller wants to know."""
        decision = self._router.decide(self._wanted, frozenset(self._failed))
        if self._draft.explain:
            self.spent = replace(self.spent, decision=decision)
        return decision

    def _patient(self) -> str | None:
        """One that failed in a way that may pass, the one that asks for the shortest wait."""
        may = [name for name, fault in self._failed.items() if self._asked[name] <= fault.again]
        return min(may, key=lambda name: self._failed[name].retry_after_seconds or 0.0, default=None)

    async def _voice(self, decision: Decision, model: Model) -> Voice:
        """A model that speaks: the one that is asked, or before the first word one that is faster."""
        after = self._hedged_after(model)
        if after is None:
            return await self._first(decision, model)
        race, before = Race(self._first), len(self.spent.attempts)
        try:
            return await race.winner((decision, model), lambda: self._company(decision, model), after)
        finally:
            self._outrun(race.outrun, before)

    def _hedged_after(self, model: Model) -> float | None:
        """Seconds of silence until another model is asked as well; None where that is not to be.

        It is not after the first word, and not where the caller named the model: it may take its time.
        """
        if self._speaker or model.id == self._wanted.asked:
            return None
        usual = self._router.health(model.id).expected(self._seconds()).first_word_seconds
        return self._hedges.after_seconds(usual, min(model.limits.first_word_seconds, self._patience))

    def _company(self, decision: Decision, slow: Model) -> tuple[Decision, Model] | None:
        """One to be asked as well, by the same decision; None where nobody is as good and well, or no hedge is left."""
        order = self._router.decide(self._wanted, frozenset({*self._failed, slow.id})).order
        others = [self._router.model(name) for name in order]
        fit = next((other for other in others if self._fits(other, slow)), None)
        if fit is None or len(self.spent.attempts) + 1 >= ATTEMPTS_MAX or not self._hedges.spend():
            return None
        log.info("hedged", slow=slow.id, asked=fit.id)
        return decision, fit

    def _fits(self, other: Model, slow: Model) -> bool:
        standing = self._router.health(other.id).standing(self._seconds())
        return other.model_class is slow.model_class and not other.last_resort and standing is Standing.CLOSED

    @contextmanager
    def _noted(self, model: Model) -> Iterator[None]:
        """What a model fails with while the block runs is noted: in the receipt, and for who is asked next."""
        try:
            yield
        except ModelFault as fault:
            log.warning("model failed", model=model.id, fault=fault.kind.value, told=str(fault))
            self.spent = self.spent.attempted(model.id, fault.kind)
            self._failed[model.id] = fault
            match fault:
                case PrefillRejected():
                    # It can still begin anew.
                    self._anew.add(model.id)
                    del self._failed[model.id]
                case ContextTooLong():
                    larger_than = max(self._wanted.larger_than, model.context_tokens)
                    self._wanted = replace(self._wanted, larger_than=larger_than)
            raise

    def _outrun(self, slower: Sequence[Model], place: int) -> None:
        """Models that others were faster than; in the receipt they stand before those."""
        for model in slower:
            self._router.outrun(model.id)
        attempts, outrun = self.spent.attempts, tuple(Attempt(model.id, Outrun.kind) for model in slower)
        self.spent = replace(self.spent, attempts=(*attempts[:place], *outrun, *attempts[place:]))

    async def _first(self, decision: Decision, model: Model) -> Voice:
        """A model's first word. Whoever gets it closes it."""
        self._asked[model.id] = self._asked.get(model.id, 0) + 1
        kept, began = self._kept(model), self._seconds()
        async with AsyncExitStack() as stack:
            stack.enter_context(self._noted(model))
            asked = await stack.enter_async_context(self._router.asked(model.id))
            answer = self._router.provider(model.id).answer(self._draft.prompt(model), kept, self._pause)
            stream = await stack.enter_async_context(aclosing(answer))
            first = await next_word(stream, min(model.limits.first_word_seconds, self._patience))
            if isinstance(first, Completed):
                # One that was to go on and has nothing to add does not make a whole of what was cut.
                raise Empty("the answer is empty")
            closing = stack.pop_all()
        return Voice(model, decision, kept, first, began, self._seconds() - began, asked, stream, closing)

    async def _said(self, voice: Voice) -> AsyncGenerator[Entry | Completed, None]:
        """One model's part, begun by the entry that says so."""
        yield self._opening(voice)
        said, word, unnamed = "", voice.first, self._unnamed(voice)
        while True:
            word = word[: ANSWER_CHARACTERS_MAX - len(self._text)]
            said += word
            self._heard = self._seconds()
            if text := self._shown(unnamed, word):
                yield Said(text)
            following = await self._following(voice)
            if isinstance(following, Completed):
                if text := unnamed.rest():
                    self._text += text
                    yield Said(text)
                self._answered(voice, following, said)
                yield following
                return
            word = following

    async def _following(self, voice: Voice) -> str | Completed:
        """What comes after a word."""
        if len(self._text) >= ANSWER_CHARACTERS_MAX:
            return Completed(FinishReason.LENGTH)
        try:
            return await voice.word()
        except ModelFault as fault:
            self._broke = fault
            raise

    def _unnamed(self, voice: Voice) -> Unnamed:
        """What takes the speaker's name from the beginning of a text; one that goes on has none."""
        scene = self._draft.scene
        return Unnamed(() if voice.kept else own_names(scene.speaker, scene.cast))

    def _shown(self, unnamed: Unnamed, word: str) -> str:
        text = unnamed.shown(word)
        self._text += text
        if unnamed.dropped:
            self.spent = replace(self.spent, unshown=unnamed.dropped)
        return text

    def _kept(self, model: Model) -> str:
        """What of the text so far a model goes on with: all of it, or nothing."""
        goes_on = Capability.PREFILL in model.capabilities and model.id not in self._anew
        return self._text.rstrip() if goes_on else ""

    def _opening(self, voice: Voice) -> Entry:
        """What stands before a model's first word."""
        model, kept = voice.model, voice.kept
        before, self._speaker = self._speaker, model.id
        self.spent = replace(self.spent, first_word_seconds=voice.first_word_seconds)
        if not before:
            return Began(model.id, voice.decision if self._draft.explain else None)
        self._seams += 1
        self._text = kept
        self.spent = self.spent if kept else replace(self.spent, unshown="")
        mode = SeamMode.CONTINUED if kept else SeamMode.REPLACED
        return Seam(before, model.id, self._broke.kind, mode, len(kept))

    def _answered(self, voice: Voice, ending: Completed, said: str) -> None:
        usage, first_word = ending.usage, voice.first_word_seconds
        seconds = self._seconds() - voice.began - first_word
        tokens = usage.output_tokens if usage else estimated_tokens(said)
        voice.asked.answered(Speed(first_word, tokens / max(seconds, 0.001)))
        self.spent = self.spent.attempted(voice.model.id, usage=usage)
