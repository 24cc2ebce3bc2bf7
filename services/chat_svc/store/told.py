"""Conversations that begin with messages: greetings, and what was said elsewhere."""

import json
from collections.abc import Sequence

from asyncpg.pool import PoolConnectionProxy

from runtime.events.schema import append
from runtime.postgres import Pool, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.entry import to_json
from services.chat_svc.store import rows
from services.chat_svc.store.conversations import insert

# Nothing is held for what nobody asked for here.
ADD = """
    INSERT INTO messages (
        user_id, conversation_id, id, position, role, text, state, created_at, parent_id, character, pinned, reaction,
        edited_at, model, log, finish_reason, failure_reason
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16, $17)
"""

# So many are kept within the seconds that a command may take.
BATCH = 1_000


class Told:
    """Opens conversations in which something was said already."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, conversation: Conversation, messages: Sequence[Message], announced: Envelope) -> Conversation:
        """Keeps a new conversation with its messages, parents first; or gives the one with its id that is there.

        Its counts and its current message are the caller's to set.
        """
        async with connection(self._pool) as database, database.transaction():
            query = "SELECT * FROM conversations WHERE user_id = $1 AND id = $2"
            earlier = await database.fetchrow(query, conversation.user, conversation.id)
            if earlier is not None:
                return rows.conversation(earlier)
            await append(database, [announced])
            await insert(database, conversation)
            await self._tell(database, messages)
        return conversation

    async def _tell(self, database: PoolConnectionProxy, messages: Sequence[Message]) -> None:
        # Many at once, since ten thousand round trips would take longer than the call may.
        for start in range(0, len(messages), BATCH):
            await database.executemany(ADD, [_row(one) for one in messages[start : start + BATCH]])


def _row(message: Message) -> tuple[object, ...]:
    return (
        message.user,
        message.conversation,
        message.id,
        message.position,
        message.role.value,
        message.text,
        message.state.value,
        message.created_at,
        message.parent,
        message.character,
        message.pinned,
        message.reaction.value if message.reaction else None,
        message.edited_at,
        message.model,
        json.dumps([to_json(entry) for entry in message.log]),
        message.finish.value if message.finish else None,
        message.failure.value if message.failure else None,
    )
