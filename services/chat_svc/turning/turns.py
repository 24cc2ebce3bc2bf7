"""The beginning of a turn: what must be right before a model is called."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from runtime.errors import AlreadyExists
from services.chat_svc.domain.conversation import Conversation, Message, Role, State, answer_id
from services.chat_svc.domain.round import Plan
from services.chat_svc.domain.wish import Wish
from services.chat_svc.media.showing import Showing
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.store import Answers, Begun, Conversations
from services.chat_svc.store.answers import in_progress
from services.chat_svc.turning.opening import Beginning
from services.chat_svc.turning.places import Place, Places
from services.chat_svc.turning.rounds import Rounds


class Turns:
    """Begins turns; `clock` gives the present in UTC, `new_id` an id for a message."""

    def __init__(
        self,
        conversations: Conversations,
        answers: Answers,
        places: Places,
        scenes: Scenes,
        showing: Showing,
        rounds: Rounds,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._conversations = conversations
        self._answers = answers
        self._places = places
        self._scenes = scenes
        self._showing = showing
        self._rounds = rounds
        self._clock = clock
        self._new_id = new_id

    async def begin(self, user: str, conversation_id: UUID, wish: Wish) -> Begun:
        """The person's message and the answer that is now being made, or that an earlier call with this id began.

        In a group it is the first of its round, and the others follow it.
        """
        answer = answer_id(conversation_id, wish.request_id, self._new_id())
        ready = await self._conversations.ready(user, conversation_id, answer)
        conversation = ready.conversation
        earlier = await self._answers.find(user, conversation_id, answer) if ready.begun else None
        if earlier is not None:
            return await self._same(conversation, earlier, wish)
        if ready.answering:
            raise in_progress()
        place = await self._places.place(conversation, wish)
        images = await self._showing.images(user, place.media)
        scene = partial(self._scenes.scene, conversation, place.speakers[0], place.after, place.text, images)
        question = self._question(conversation, place, wish) if place.asks else None
        beginning = Beginning(
            conversation,
            answer,
            scene,
            images,
            wish.choice,
            question,
            place.answered,
            repeatable=wish.request_id != "",
            sees=place.sees,
        )
        plan = Plan.of(conversation, place.speakers, wish.choice, sees=bool(images) or place.sees)
        begun = await self._rounds.begin(beginning, plan)
        return begun if begun.new else await self._same(conversation, begun, wish)

    def _question(self, conversation: Conversation, place: Place, wish: Wish) -> Message:
        return Message(
            conversation.user,
            conversation.id,
            self._new_id(),
            0,
            Role.USER,
            wish.text,
            State.COMPLETE,
            self._clock(),
            parent=place.after,
            media=place.media,
        )

    async def _same(self, conversation: Conversation, begun: Begun, wish: Wish) -> Begun:
        """What an earlier call began, if that one wished for the same."""
        question, answer = begun.question, begun.answer
        if wish.again is not None:
            same = (await self._places.answer(conversation, wish.again)).parent == answer.parent
        else:
            same = question is not None and question.id == answer.parent and question.text == wish.text
            if question is not None and wish.instead_of is None:
                same = same and question.media == wish.media
        if same and question is not None and wish.instead_of is not None:
            same = (await self._places.question(conversation, wish.instead_of)).parent == question.parent
        if not same:
            raise AlreadyExists("This request_id was used for another message.", reason="REQUEST_ID_REUSED")
        return begun
