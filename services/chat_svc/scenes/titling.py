"""Titles: what a conversation is called as soon as there is something to call it after."""

from __future__ import annotations

from services.chat_svc.domain.aside import title, title_aside
from services.chat_svc.domain.conversation import Message
from services.chat_svc.scenes.asking import Asking
from services.chat_svc.scenes.scenes import Scenes
from services.chat_svc.store import Conversations
from services.chat_svc.store.transcripts import Transcripts

# The newest, which a title is made of.
MESSAGES_MAX = 6
BYTES_MAX = 100_000


class Titling:
    """A conversation without a title gets one after an answer. One that the person gives meanwhile stays."""

    def __init__(self, asking: Asking, conversations: Conversations, transcripts: Transcripts, scenes: Scenes) -> None:
        self._asking = asking
        self._conversations = conversations
        self._transcripts = transcripts
        self._scenes = scenes

    async def after(self, answer: Message) -> None:
        conversation = await self._conversations.conversation(answer.user, answer.conversation)
        if conversation.titled:
            return
        branch = await self._transcripts.branch(conversation, answer.id, MESSAGES_MAX, BYTES_MAX, whole=True)
        cast = await self._scenes.cast(conversation)
        if given := title(await self._asking.ask(title_aside(cast, branch.messages))):
            await self._transcripts.title(conversation, given)
