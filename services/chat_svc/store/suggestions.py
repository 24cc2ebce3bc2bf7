"""What the person might say after a message: kept with it, as long as it follows from what was said."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Message
from services.chat_svc.store.locks import locked, no_message

KEPT = "SELECT follow_ups FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $3"

# Whoever edits or deletes a message holds the conversation's lock, as this does.
AS_TOLD = """
    SELECT count(*) FROM messages JOIN unnest($3::uuid[], $4::text[]) AS told (id, text) USING (id, text)
    WHERE user_id = $1 AND conversation_id = $2
"""

# What was made first stays.
SUGGEST = """
    UPDATE messages SET follow_ups = coalesce(follow_ups, $4)
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3
    RETURNING follow_ups
"""

# What was said after a message has a later position; to make a few too many anew does no harm.
FORGET = """
    UPDATE messages SET follow_ups = NULL
    WHERE user_id = $1 AND conversation_id = $2 AND position >= $3 AND follow_ups IS NOT NULL
"""


class Suggestions:
    """Each message's, seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def follow_ups(self, message: Message) -> tuple[str, ...] | None:
        """What the person might say after a message; None where nobody made it up yet."""
        async with connection(self._pool) as database:
            kept = await database.fetchval(KEPT, message.user, message.conversation, message.id)
        return None if kept is None else tuple(kept)

    async def suggest(
        self, message: Message, told: Sequence[Message], follow_ups: Sequence[str]
    ) -> tuple[str, ...] | None:
        """Keeps follow-ups that were made of what was told, and gives those that stay: others may have been faster.

        None, and nothing is kept, where something of it was edited or deleted since.
        """
        ids, texts = [one.id for one in told], [one.text for one in told]
        async with connection(self._pool) as database, database.transaction():
            if await locked(database, message.user, message.conversation) is None:
                raise no_message()
            if await database.fetchval(AS_TOLD, message.user, message.conversation, ids, texts) < len(told):
                return None
            kept = await database.fetchval(SUGGEST, message.user, message.conversation, message.id, list(follow_ups))
        if kept is None:
            raise no_message()
        return tuple(kept)


async def forget_follow_ups(database: PoolConnectionProxy, user: str, conversation_id: UUID, position: int) -> None:
    """Forgets what was made of the message at this position: its own follow-ups, and those of later ones."""
    await database.execute(FORGET, user, conversation_id, position)
