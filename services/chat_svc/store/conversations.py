"""Conversations, and reading their messages."""

from datetime import datetime
from uuid import UUID

from runtime.errors import NotFound
from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.store import rows

ADD = """
    INSERT INTO conversations (user_id, id, character, display_name, message_count, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

PAGE = """
    SELECT * FROM conversations
    WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $3::uuid))
    ORDER BY updated_at DESC, id DESC
    LIMIT $4
"""

MESSAGES = """
    SELECT * FROM messages
    WHERE user_id = $1 AND conversation_id = $2 AND position > $3
    ORDER BY position
    LIMIT $4
"""

LAST_MESSAGES = """
    SELECT * FROM messages
    WHERE user_id = $1 AND conversation_id = $2
    ORDER BY position DESC
    LIMIT $3
"""


class Conversations:
    """Every conversation, each seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, conversation: Conversation) -> None:
        async with connection(self._pool) as database:
            await database.execute(
                ADD,
                conversation.user,
                conversation.id,
                conversation.character,
                conversation.display_name,
                conversation.message_count,
                conversation.created_at,
                conversation.updated_at,
            )

    async def conversation(self, user: str, conversation_id: UUID) -> Conversation:
        """One of the user's conversations; NOT_FOUND when they have no such."""
        query = "SELECT * FROM conversations WHERE user_id = $1 AND id = $2"
        async with connection(self._pool) as database:
            row = await database.fetchrow(query, user, conversation_id)
        if row is None:
            raise NotFound("There is no such conversation among yours.", reason="CONVERSATION_NOT_FOUND")
        return rows.conversation(row)

    async def page(self, user: str, after: tuple[datetime, UUID] | None, limit: int) -> list[Conversation]:
        """Conversations behind `after` (when it was used last, id), the one used last first."""
        used_at, conversation_id = after or (None, None)
        async with connection(self._pool) as database:
            found = await database.fetch(PAGE, user, used_at, conversation_id, limit)
        return [rows.conversation(row) for row in found]

    async def messages(self, user: str, conversation_id: UUID, after_position: int, limit: int) -> list[Message]:
        """Messages behind a position, oldest first."""
        async with connection(self._pool) as database:
            found = await database.fetch(MESSAGES, user, conversation_id, after_position, limit)
        return [rows.message(row) for row in found]

    async def last_messages(self, user: str, conversation_id: UUID, limit: int) -> list[Message]:
        """The newest messages, oldest first."""
        async with connection(self._pool) as database:
            found = await database.fetch(LAST_MESSAGES, user, conversation_id, limit)
        return [rows.message(row) for row in reversed(found)]
