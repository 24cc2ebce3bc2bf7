"""Rounds of a group: who has spoken, what is to follow, and their end.

An answer that another is to follow has that one's id before it begins. Once the answer has ended, its lease is that of
the pause: until it lapses, or the next one begins, the conversation is answering still.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Message

# From a message back to the first one, so many steps at most.
SPOKEN = """
    WITH RECURSIVE branch AS (
        SELECT id, parent_id, position, character, 1 AS steps FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3
        UNION ALL
        SELECT one.id, one.parent_id, one.position, one.character, steps + 1
        FROM messages one JOIN branch ON one.id = branch.parent_id
        WHERE one.user_id = $1 AND one.conversation_id = $2 AND steps < $4
    )
    SELECT position, character FROM branch ORDER BY position
"""

# An answer and those that followed it in its round.
FOLLOWED = """
    WITH RECURSIVE round AS (
        SELECT id, next_id, character, 1 AS place FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3
        UNION ALL
        SELECT one.id, one.next_id, one.character, place + 1
        FROM messages one JOIN round ON one.id = round.next_id
        WHERE one.user_id = $1 AND one.conversation_id = $2 AND place < 8
    )
    SELECT character FROM round ORDER BY place
"""

LAST_ANSWER = """
    SELECT id FROM messages
    WHERE user_id = $1 AND conversation_id = $2 AND parent_id = $3 AND role = 'character'
    ORDER BY position DESC
    LIMIT 1
"""

# The answer before it is the last message as long as that is so.
IS_COMING = """
    SELECT EXISTS (
        SELECT FROM conversations conversation JOIN messages last
            ON (last.user_id, last.conversation_id, last.id)
                = (conversation.user_id, conversation.id, conversation.current_id)
        WHERE conversation.user_id = $1 AND conversation.id = $2
            AND last.next_id = $3 AND (last.state = 'streaming' OR last.lease_until > now())
    )
"""

END = """
    UPDATE messages message SET next_id = NULL
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND state <> 'streaming'
        AND NOT EXISTS (
            SELECT FROM messages one
            WHERE one.user_id = $1 AND one.conversation_id = $2 AND one.id = message.next_id
        )
    RETURNING id
"""


class Rounds:
    """Every round, each seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def spoken(self, user: str, conversation_id: UUID, leaf: UUID | None, limit: int) -> list[tuple[int, str]]:
        """The newest messages of the branch that ends with `leaf`, oldest first: where each stands, and its character.

        That is empty for the person's own.
        """
        async with connection(self._pool) as database:
            found = await database.fetch(SPOKEN, user, conversation_id, leaf, limit)
        return [(row["position"], row["character"]) for row in found]

    async def followed(self, answer: Message) -> tuple[str, ...]:
        """Who spoke in an answer's round from that answer on."""
        async with connection(self._pool) as database:
            found = await database.fetch(FOLLOWED, answer.user, answer.conversation, answer.id)
        return tuple(row["character"] for row in found)

    async def answered(self, question: Message) -> tuple[str, ...]:
        """Who answered the person's message, the last time that it was answered."""
        async with connection(self._pool) as database:
            first = await database.fetchval(LAST_ANSWER, question.user, question.conversation, question.id)
            found = await database.fetch(FOLLOWED, question.user, question.conversation, first)
        return tuple(row["character"] for row in found)

    async def is_coming(self, user: str, conversation_id: UUID, answer_id: UUID) -> bool:
        """Whether this answer is one that is to follow another in a round that goes on."""
        async with connection(self._pool) as database:
            return bool(await database.fetchval(IS_COMING, user, conversation_id, answer_id))

    async def end(self, answer: Message) -> Message:
        """Ends a round behind an answer that has ended, unless the next one has begun."""
        async with connection(self._pool) as database, database.transaction():
            # Whoever begins the next one holds the same lock.
            await database.execute(
                "SELECT FROM conversations WHERE user_id = $1 AND id = $2 FOR UPDATE", answer.user, answer.conversation
            )
            ended = await database.fetchval(END, answer.user, answer.conversation, answer.id)
        return answer if ended is None else replace(answer, next=None)
