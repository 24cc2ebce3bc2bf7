"""Follow-ups: what the person might say next, made when somebody first asks for it, so that nobody pays for what nobody
reads."""

from __future__ import annotations

import asyncio
from uuid import UUID

from runtime.errors import InvalidArgument, Violation
from services.chat_svc.domain.aside import follow_ups, follow_ups_aside
from services.chat_svc.domain.conversation import Message, Role, State
from services.chat_svc.scenes.asides import Asides
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.store import Conversations, Messages
from services.chat_svc.store.transcripts import Transcripts

WAIT_SECONDS_MAX = 8.0
# The newest, which follow-ups are made of.
MESSAGES_MAX = 6
BYTES_MAX = 100_000


class Suggesting:
    """Several who ask at once wait for the same ones; those that are made after all have gone are kept too."""

    def __init__(
        self,
        asides: Asides,
        asking: Asking,
        conversations: Conversations,
        messages: Messages,
        transcripts: Transcripts,
        scenes: Scenes,
    ) -> None:
        self._asides = asides
        self._asking = asking
        self._conversations = conversations
        self._messages = messages
        self._transcripts = transcripts
        self._scenes = scenes
        self._made: dict[UUID, asyncio.Task[tuple[str, ...] | None]] = {}

    async def follow_ups(self, user: str, conversation_id: UUID, message_id: UUID) -> tuple[str, ...]:
        """Follow-ups to a character's complete message; INVALID_ARGUMENT for any other."""
        message = await self._messages.get(user, conversation_id, message_id)
        if message.role is not Role.CHARACTER or message.state is not State.COMPLETE:
            fault = Violation("parent", "is no complete message of a character")
            raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
        kept = await self._transcripts.follow_ups(message)
        if kept is not None:
            return kept
        task = self._made.get(message.id) or self._asides.begin(self._make(message))
        if task is None:
            return ()
        self._made[message.id] = task
        task.add_done_callback(lambda _: self._made.pop(message.id, None))
        await asyncio.wait([task], timeout=WAIT_SECONDS_MAX)
        return (task.result() or ()) if task.done() and not task.cancelled() else ()

    async def _make(self, message: Message) -> tuple[str, ...]:
        conversation = await self._conversations.conversation(message.user, message.conversation)
        branch = await self._transcripts.branch(conversation, message.id, None, MESSAGES_MAX, BYTES_MAX)
        cast = await self._scenes.cast(conversation)
        answer = await self._asking.ask(follow_ups_aside(cast, branch.messages))
        # What a model could not say now, it is asked again when somebody wants it again.
        return await self._transcripts.suggest(message, follow_ups(answer)) if answer else ()
