"""Scenes: what a prompt is made of, read from the conversation and about its characters."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.prompt import Image, Persona, Scene
from services.chat_svc.domain.window import anchor
from services.chat_svc.media.showing import Showing
from services.chat_svc.scenes.characters import PORTRAITS_SECONDS, Characters
from services.chat_svc.store.transcripts import Transcripts

# What is read of a branch: more than the largest plan has room for, many times what a common message takes.
MESSAGES_MAX = 2_000
BYTES_MAX = 1_000_000


class Scenes:
    """Reads; changes nothing and calls no model."""

    def __init__(self, transcripts: Transcripts, characters: Characters, showing: Showing) -> None:
        self._transcripts = transcripts
        self._characters = characters
        self._showing = showing

    async def cast(
        self, conversation: Conversation, portraits_seconds: float = PORTRAITS_SECONDS
    ) -> tuple[Persona, ...]:
        """All its characters; NOT_FOUND (reason CHARACTER_NOT_FOUND) where one of them is no more."""
        return await self._characters.personas(conversation.user, conversation.cast, portraits_seconds)

    async def scene(
        self,
        conversation: Conversation,
        speaker: str,
        after: UUID | None,
        text: str | None,
        images: tuple[Image, ...] = (),
        portraits_seconds: float = PORTRAITS_SECONDS,
    ) -> Scene:
        """The scene in which `speaker` answers what the person says after the message `after`.

        Without a `text` the speaker answers that message itself. NOT_FOUND (reason CHARACTER_NOT_FOUND) where one of
        the characters is no more.
        """
        cast = await self.cast(conversation, portraits_seconds)
        who = next((one for one in cast if one.character == speaker), cast[0])
        branch = await self._transcripts.branch(conversation, after, MESSAGES_MAX, BYTES_MAX)
        history = list(branch.messages)
        if branch.cut:
            history = history[anchor([message.position for message in history]) :]
        pinned = await self._pinned(conversation, history, after) if branch.before is not None else ()
        shown = await self._showing.again(conversation.user, history)
        return Scene(who, cast, history, text, images, branch.summary, pinned, shown, branch.cut)

    async def _pinned(
        self, conversation: Conversation, history: Sequence[Message], after: UUID | None
    ) -> Sequence[Message]:
        """Pinned messages of the branch from before its history."""
        last = history[0].parent if history else after
        return await self._transcripts.pinned(conversation, last) if last is not None else ()
