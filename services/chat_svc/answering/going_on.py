"""Going on with answers that other processes left in the middle.

Whoever takes one and cannot go on with it tries again for a while, and leaves it to others where it is itself to end.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import structlog
from redis.asyncio import Redis

from runtime.errors import MeshError, NotFound
from services.chat_svc.answering.draft import Draft
from services.chat_svc.answering.generations import Generations
from services.chat_svc.answering.handing_over import CHANNEL, FAULTS, Offering
from services.chat_svc.answering.speech import Speech
from services.chat_svc.domain.conversation import Conversation, Message, Role
from services.chat_svc.domain.entry import model_of
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.prompt import Scene
from services.chat_svc.media.showing import Showing
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.siblings import Reservation
from services.chat_svc.store import Answers, Conversations, Messages
from services.chat_svc.turning.rounds import Rounds

log = structlog.get_logger()

BLOCK_SECONDS = 1.0

# So long it is tried to go on with an answer, and how often; then recovery ends it.
TRY_SECONDS_MAX = 30.0
AGAIN_SECONDS = 0.5


class GoingOn:
    """Runs in every process; `waiting` is for listening."""

    def __init__(
        self,
        answers: Answers,
        conversations: Conversations,
        messages: Messages,
        scenes: Scenes,
        showing: Showing,
        speech: Speech,
        generations: Generations,
        offering: Offering,
        rounds: Rounds,
        waiting: Redis,
    ) -> None:
        self._answers = answers
        self._conversations = conversations
        self._messages = messages
        self._scenes = scenes
        self._showing = showing
        self._speech = speech
        self._generations = generations
        self._offering = offering
        self._rounds = rounds
        self._waiting = waiting

    async def run(self) -> None:
        """Takes what others leave, until it is cancelled."""
        while True:
            try:
                await self._listen()
            except FAULTS as error:
                log.warning("what others leave is not heard of", error=type(error).__name__)
            except Exception:
                log.exception("defect in hearing what others leave")
            await asyncio.sleep(BLOCK_SECONDS)
            await self._look()

    async def _listen(self) -> None:
        async with self._waiting.pubsub() as channel:
            await channel.subscribe(CHANNEL)
            while True:
                await channel.get_message(ignore_subscribe_messages=True, timeout=BLOCK_SECONDS)
                await self._look()

    async def _look(self) -> None:
        """Takes what is left; carried through, for who took an answer has it."""
        try:
            await self._generations.carried(self._take())
        except MeshError as error:
            log.warning("what others leave is not taken", reason=error.reason)
        except Exception:
            log.exception("defect in taking what others leave")

    async def _take(self) -> None:
        """Begins to go on with what is left to whoever takes it, with each by itself."""
        while left := await self._answers.take_offered():
            for answer, handover in left:
                self._generations.carry(self._taken(answer, handover))

    async def _taken(self, answer: Message, handover: Handover) -> None:
        try:
            async with self._generations.preparing(answer.id):
                is_begun = await self._is_begun(answer, handover)
            if not is_begun:
                await self._offering.leave(answer, handover)
        except MeshError as error:
            # Its lease lapses, and recovery ends it with what was said.
            log.warning("answer cannot be gone on with", answer=str(answer.id), reason=error.reason)
        except Exception:
            log.exception("defect in going on", answer=str(answer.id))

    async def _is_begun(self, answer: Message, handover: Handover) -> bool:
        """Whether the answer goes on here, at last; false where it does not yet and this process is to end."""
        until = asyncio.get_running_loop().time() + TRY_SECONDS_MAX
        while True:
            try:
                await self._go_on(answer, handover)
                return True
            except MeshError as error:
                if isinstance(error, NotFound) or asyncio.get_running_loop().time() > until:
                    raise
                log.warning("answer cannot be gone on with yet", answer=str(answer.id), reason=error.reason)
            if self._generations.drained:
                return False
            await asyncio.sleep(AGAIN_SECONDS)

    async def _go_on(self, answer: Message, handover: Handover) -> None:
        conversation = await self._conversations.conversation(answer.user, answer.conversation)
        draft = await self._draft(conversation, answer, handover)
        log.info("answer goes on", answer=str(answer.id), entries=len(draft.said))
        await self._rounds.go_on(conversation, answer, draft, handover)

    async def _draft(self, conversation: Conversation, answer: Message, handover: Handover) -> Draft:
        """The draft that the answer was begun with, and what was made of it."""
        scene = await self._scene(conversation, answer)
        reservation = Reservation(answer.hold, handover.context_tokens, answer.meter, answer.price, handover.classes)
        draft = self._speech.draft(scene, reservation, handover.choice)
        return replace(
            draft,
            wanted=replace(draft.wanted, last=model_of(answer.log) or draft.wanted.last),
            tokens_per_turn=handover.tokens_per_turn,
            said=answer.log,
            attempts=handover.attempts,
            seconds=handover.seconds,
        )

    async def _scene(self, conversation: Conversation, answer: Message) -> Scene:
        """The scene in which the answer was begun."""
        if answer.parent is not None:
            answered = await self._messages.get(answer.user, answer.conversation, answer.parent)
            if answered.role is Role.USER:
                images = await self._showing.images(answer.user, answered.media)
                return await self._scenes.scene(conversation, answer.character, answered.parent, answered.text, images)
        return await self._scenes.scene(conversation, answer.character, answer.parent, None)
