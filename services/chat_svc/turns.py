"""The beginning of a turn: what must be right before a model is called."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog

from runtime.errors import AlreadyExists, MeshError
from services.chat_svc.domain.conversation import Message, Role, State, answer_id
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.domain.routing import Wish
from services.chat_svc.generations import Generations
from services.chat_svc.siblings import Characters, Quota, Reservation
from services.chat_svc.speech import Draft, Speech
from services.chat_svc.store import Answers, Begun, Conversations

log = structlog.get_logger()

HISTORY_MAX = 50


class Turns:
    """Begins turns; `clock` gives the present in UTC, `new_id` an id for a message."""

    def __init__(
        self,
        conversations: Conversations,
        answers: Answers,
        characters: Characters,
        quota: Quota,
        speech: Speech,
        generations: Generations,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._conversations = conversations
        self._answers = answers
        self._characters = characters
        self._quota = quota
        self._speech = speech
        self._generations = generations
        self._clock = clock
        self._new_id = new_id

    async def begin(self, user: str, conversation_id: UUID, wish: Wish) -> Begun:
        """The person's message and the answer that is now being made, or that an earlier call with this id began."""
        conversation = await self._conversations.conversation(user, conversation_id)
        answer = answer_id(conversation_id, wish.request_id, self._new_id())
        earlier = await self._answers.find(user, conversation_id, answer) if wish.request_id else None
        if earlier is not None:
            return _same(earlier, wish.text)
        await self._answers.check_idle(user, conversation_id, answer)
        persona = await self._characters.persona(conversation.character)
        # Once credit is held, the turn is carried through: a caller that hangs up must not leave a hold behind.
        return await self._generations.carried(self._reserved(user, conversation_id, answer, persona, wish))

    async def _reserved(self, user: str, conversation_id: UUID, answer: UUID, persona: Persona, wish: Wish) -> Begun:
        reservation = await self._quota.reserve(user, answer, premium=self._speech.is_premium(wish.choice))
        try:
            history = await self._conversations.last_messages(user, conversation_id, HISTORY_MAX)
            draft = self._speech.draft(persona, history, wish.text, reservation, wish.choice)
            begun = await self._answers.begin(*self._messages(user, conversation_id, answer, draft, reservation))
        except MeshError:
            await self._give_back(reservation)
            raise
        if begun.new:
            self._generations.start(begun.answer, draft)
        elif begun.answer.hold != reservation.hold:
            # A twin of this call was faster; with the same request id both got the same hold, and it stays the twin's.
            await self._give_back(reservation)
        return _same(begun, wish.text)

    def _messages(
        self, user: str, conversation_id: UUID, answer: UUID, draft: Draft, reservation: Reservation
    ) -> tuple[Message, Message]:
        """Both messages; their positions are the store's to give."""
        now, model = self._clock(), self._speech.first_model(draft.wanted)
        return (
            Message(user, conversation_id, self._new_id(), 0, Role.USER, draft.text, State.COMPLETE, now),
            Message(
                user,
                conversation_id,
                answer,
                0,
                Role.CHARACTER,
                "",
                State.STREAMING,
                now,
                model=model.id if model else "",
                hold=reservation.hold,
                meter=reservation.meter,
                price=reservation.price,
                prompt_tokens=draft.prompt(model).tokens if model else 0,
            ),
        )

    async def _give_back(self, reservation: Reservation) -> None:
        try:
            await self._quota.release(reservation.hold)
        except MeshError as error:
            log.warning("hold left to expire", hold=reservation.hold, reason=error.reason)


def _same(begun: Begun, text: str) -> Begun:
    if begun.question.text != text:
        raise AlreadyExists("This request_id was used for another message.", reason="REQUEST_ID_REUSED")
    return begun
