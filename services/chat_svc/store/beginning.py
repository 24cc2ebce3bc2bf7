"""The beginning of a turn in one statement each: what is there to begin it on, and the two messages that it is.

They are what a person waits for, so they take one round trip. Where anything stands in the way, `Answers.begin` looks
at it in its own time.
"""

from __future__ import annotations

from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from services.chat_svc.domain.conversation import Message

# An answer is being made, or one is about to follow on the last one.
ANSWERING = """
    SELECT EXISTS (
        SELECT FROM messages WHERE user_id = $1 AND conversation_id = $2 AND state = 'streaming' AND id <> $3
        UNION ALL
        SELECT FROM conversations conversation JOIN messages last
            ON (last.user_id, last.conversation_id, last.id)
                = (conversation.user_id, conversation.id, conversation.current_id)
        WHERE conversation.user_id = $1 AND conversation.id = $2 AND last.next_id <> $3 AND last.lease_until > now()
    )
"""

READY = f"""
    SELECT conversations.*, ({ANSWERING}) AS answering,
        EXISTS (SELECT FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $3) AS begun
    FROM conversations WHERE user_id = $1 AND id = $2
"""  # noqa: S608 (our own)

# It waits for nobody: one that is cut off while it waits would go on by itself. Not all of it sees what somebody has
# changed as it began: the position says whether another answer has begun, and the table's constraints say the rest.
BEGIN = f"""
    WITH free AS (
        SELECT conversation.last_position
        FROM conversations conversation JOIN conversations seen USING (user_id, id, last_position)
        WHERE conversation.user_id = $1 AND conversation.id = $2
            AND conversation.current_id IS NOT DISTINCT FROM $4::uuid AND NOT ({ANSWERING})
        FOR UPDATE OF conversation SKIP LOCKED
    ), grown AS (
        UPDATE conversations SET
            message_count = message_count + 2, last_position = free.last_position + 2, current_id = $3, updated_at = $5
        FROM free
        WHERE user_id = $1 AND id = $2
        RETURNING free.last_position
    ), question AS (
        INSERT INTO messages (user_id, conversation_id, id, position, role, text, state, created_at, parent_id)
        SELECT $1, $2, $6, last_position + 1, 'user', $7, 'complete', $8, $9 FROM grown
    ), answer AS (
        INSERT INTO messages (
            user_id, conversation_id, id, position, role, text, state, created_at, model, hold, meter, price,
            prompt_tokens, hold_resolved, owner, parent_id, character, next_id, lease_until
        )
        SELECT
            $1, $2, $3, last_position + 2, 'character', '', 'streaming', $5, $10, $11, $12, $13,
            $14, false, $15, $6, $16, $17, clock_timestamp() + make_interval(secs => $18)
        FROM grown
    )
    SELECT last_position, (
        SELECT count(*)::int FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND (parent_id = $9 OR ($9::uuid IS NULL AND parent_id IS NULL))
    ) AS siblings
    FROM grown
"""  # noqa: S608 (our own)


async def begin_at_once(
    database: PoolConnectionProxy,
    question: Message,
    answer: Message,
    current: UUID | None,
    owner: UUID,
    lease_seconds: float,
) -> asyncpg.Record | None:
    """The conversation's last position before these two messages, and how many siblings the question has there.

    None, and nothing is kept, where something stands in the way. Neither message shows media.
    """
    try:
        return await database.fetchrow(
            BEGIN,
            answer.user,
            answer.conversation,
            answer.id,
            current,
            answer.created_at,
            question.id,
            question.text,
            question.created_at,
            question.parent,
            answer.model,
            answer.hold,
            answer.meter,
            answer.price,
            answer.prompt_tokens,
            owner,
            answer.character,
            answer.next,
            lease_seconds,
        )
    except asyncpg.IntegrityConstraintViolationError:
        # A twin of this call was faster, or nobody can answer what was deleted.
        return None
