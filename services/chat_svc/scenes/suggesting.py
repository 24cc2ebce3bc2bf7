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
from services.chat_svc.store.suggestions import Suggestions
from services.chat_svc.store.transcripts import Transcripts

WAIT_SECONDS_MAX = 8.0
# The newest, which follow-ups are made of.
MESSAGES_MAX = 6
BYTES_MAX = 100_000
# What was edited meanwhile is told anew, so often.
TRIES_MAX = 3


class Suggesting:
    """Several who ask at once wait for the same ones; those that are made after all have gone are kept too."""

    def __init__(
        self,
        asides: Asides,
        asking: Asking,
        conversations: Conversations,
        messages: Messages,
        transcripts: Transcripts,
        suggestions: Suggestions,
        scenes: Scenes,
    ) -> None:
        self._asides = asides
        self._asking = asking
        self._conversations = conversations
        self._messages = messages
        self._transcripts = transcripts
        self._suggestions = suggestions
        self._scenes = scenes
        self._made: dict[UUID, asyncio.Task[tuple[str, ...] | None]] = {}

    async def follow_ups(self, user: str, conversation_id: UUID, message_id: UUID) -> tuple[str, ...]:
        """Follow-ups to a character's complete message; INVALID_ARGUMENT for any other."""
        message = await self._messages.get(user, conversation_id, message_id)
        if message.role is not Role.CHARACTER or message.state is not State.COMPLETE:
            fault = Violation("parent", "is no complete message of a character")
            raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
        kept = await self._suggestions.follow_ups(message)
        if kept is not None:
            return kept
        task = self._made.get(message.id)
        if task is None:
            task = self._asides.begin(self._make(message))
            if task is None:
                return ()
            self._made[message.id] = task
            task.add_done_callback(lambda _: self._made.pop(message.id, None))
        await asyncio.wait([task], timeout=WAIT_SECONDS_MAX)
        return (task.result() or ()) if task.done() and not task.cancelled() else ()

    async def _make(self, message: Message) -> tuple[str, ...]:
        # Others may have been through with it since it was looked for.
        made = await self._suggestions.follow_ups(message)
        if made is not None:
            return made
        conversation = await self._conversations.conversation(message.user, message.conversation)
        cast = await self._scenes.cast(conversation)
        for _ in range(TRIES_MAX):
            branch = await self._transcripts.branch(conversation, message.id, MESSAGES_MAX, BYTES_MAX, whole=True)
            answer = await self._asking.ask(follow_ups_aside(cast, branch.messages))
            # What a model could not say now, it is asked again when somebody wants it again.
            if not answer:
                break
            kept = await self._suggestions.suggest(message, branch.messages, follow_ups(answer))
            if kept is not None:
                return kept
        return ()
