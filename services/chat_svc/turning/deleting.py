"""Deleting conversations and messages, once nothing is held for them any more."""

from __future__ import annotations

from uuid import UUID

from services.chat_svc.answering.closing import Closing
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.store import Answers, Branches, Conversations


class Deleting:
    """A message knows what is held for it, and until when: so what it cost is settled before it goes.

    While that cannot be, because quota_svc is away, nothing is deleted. To settle twice is to settle once, so it does
    no harm where the process that made the answer is at it, too.
    """

    def __init__(self, answers: Answers, closing: Closing, conversations: Conversations, branches: Branches) -> None:
        self._answers = answers
        self._closing = closing
        self._conversations = conversations
        self._branches = branches

    async def conversation(self, user: str, conversation_id: UUID) -> None:
        """Deletes it; NOT_FOUND, ABORTED during an answer, UNAVAILABLE while a hold cannot be resolved."""
        await self._settle(user, conversation_id)
        await self._conversations.delete(user, conversation_id)

    async def message(self, user: str, conversation_id: UUID, message_id: UUID) -> Conversation:
        """The conversation without it and what was said after it; fails as `conversation` does."""
        await self._settle(user, conversation_id)
        return await self._branches.delete(user, conversation_id, message_id)

    async def _settle(self, user: str, conversation_id: UUID) -> None:
        for answer in await self._answers.held(user, conversation_id):
            await self._closing.resolve(answer)
