"""The beginning of one answer: credit is held, the answer is kept, and a model is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from runtime.errors import MeshError, ResourceExhausted
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.speech import Speech
from services.chat_svc.domain.conversation import Conversation, Message, Role, State
from services.chat_svc.domain.prompt import Image, Scene
from services.chat_svc.domain.routing import Choice
from services.chat_svc.siblings import Quota, Reservation
from services.chat_svc.store import Answers, Begun

log = structlog.get_logger()


@dataclass(frozen=True)
class Beginning:
    """An answer that is about to begin, by the one who speaks in the scene, which shows `images`.

    It follows `question`, which the person says now, or the message `parent`, which is there. `next` is the answer that
    is to follow it in its round; one that `follows` was such a next one itself. A turn may cost `units_max`.
    One that is `repeatable` may be asked for again with the same id. `sees` says that who speaks is to see what was
    shown before, and `request` under which id credit is held, the answer's own where that is None.
    """

    conversation: Conversation
    answer: UUID
    scene: Callable[[], Awaitable[Scene]]
    images: tuple[Image, ...]
    choice: Choice
    question: Message | None
    parent: UUID | None
    next: UUID | None = None
    follows: bool = False
    units_max: int | None = None
    repeatable: bool = False
    sees: bool = False
    request: UUID | None = None


class Opening:
    """`clock` gives the present in UTC."""

    def __init__(self, answers: Answers, quota: Quota, speech: Speech, clock: Callable[[], datetime]) -> None:
        self._answers = answers
        self._quota = quota
        self._speech = speech
        self._clock = clock

    async def open(self, beginning: Beginning, start: Callable[[Message, Draft], None]) -> Begun:
        """The answer, which `start` makes from now on; or the one that a twin of this call began.

        Once credit is held this is to be carried through: a caller that hangs up must not leave a hold behind.
        """
        self._speech.check(beginning.choice)
        premium = self._speech.needs_premium(bool(beginning.images) or beginning.sees, beginning.choice)
        scene, reservation = await self._scene_and_hold(beginning, premium=premium)
        try:
            draft = self._draft(beginning, scene, reservation)
            answer = self._answer(beginning, draft, reservation)
            begun = await self._answers.begin(
                beginning.question, answer, beginning.conversation.current, follows=beginning.follows
            )
        except Exception:
            await self._give_up(beginning, reservation)
            raise
        if begun.new:
            start(begun.answer, draft)
        elif begun.answer.hold != reservation.hold:
            # A twin of this call was faster; with the same request id both got the same hold, and it stays the twin's.
            await self._give_back(reservation)
        return begun

    async def _scene_and_hold(self, beginning: Beginning, *, premium: bool) -> tuple[Scene, Reservation]:
        """Both at once: neither needs the other, and the person waits for both."""
        user, images = beginning.conversation.user, len(beginning.images)
        request = beginning.request or beginning.answer
        holding = asyncio.create_task(self._quota.reserve(user, request, premium=premium, images=images))
        try:
            scene = await beginning.scene()
        except BaseException:
            (reservation,) = await asyncio.gather(holding, return_exceptions=True)
            if isinstance(reservation, Reservation):
                await self._give_up(beginning, reservation)
            raise
        return scene, await holding

    def _draft(self, beginning: Beginning, scene: Scene, reservation: Reservation) -> Draft:
        if beginning.units_max is not None and reservation.price > beginning.units_max:
            raise ResourceExhausted("The round may not cost more.", reason="ROUND_CREDITS_USED")
        draft = self._speech.draft(scene, reservation, beginning.choice)
        self._speech.check_able(draft)
        self._speech.check_awake(draft.wanted)
        return draft

    def _answer(self, beginning: Beginning, draft: Draft, reservation: Reservation) -> Message:
        """The answer that is about to be made; its position is the store's to give."""
        model = self._speech.first_model(draft.wanted)
        return Message(
            beginning.conversation.user,
            beginning.conversation.id,
            beginning.answer,
            0,
            Role.CHARACTER,
            "",
            State.STREAMING,
            self._clock(),
            parent=beginning.parent if beginning.question is None else beginning.question.id,
            character=draft.scene.speaker.character,
            next=beginning.next,
            model=model.id if model else "",
            hold=reservation.hold,
            meter=reservation.meter,
            price=reservation.price,
            images=reservation.images,
            images_meter=reservation.images_meter,
            prompt_tokens=draft.prompt(model).tokens if model else 0,
        )

    async def _give_up(self, beginning: Beginning, reservation: Reservation) -> None:
        """Gives back what is held for an answer that does not begin, so that the next call has it at once.

        A twin of this call was given the same hold. If it has begun the answer with it, the hold stays; if it is about
        to, what the answer costs is held anew when it is settled.
        """
        if beginning.repeatable:
            conversation = beginning.conversation
            with suppress(MeshError):
                twin = await self._answers.find(conversation.user, conversation.id, beginning.answer)
                if twin is not None and twin.answer.hold == reservation.hold:
                    return
        await self._give_back(reservation)

    async def _give_back(self, reservation: Reservation) -> None:
        try:
            await self._quota.release(reservation.hold)
        except MeshError as error:
            log.warning("hold left to expire", hold=reservation.hold, reason=error.reason)
