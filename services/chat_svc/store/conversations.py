"""Conversations, each a whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.chat_svc.domain.changes import ConversationChange, changed
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.finding import Filter
from services.chat_svc.domain.script import in_pairs
from services.chat_svc.domain.snippet import is_unfinished
from services.chat_svc.store import rows
from services.chat_svc.store.answers import in_progress
from services.chat_svc.store.beginning import READY
from services.chat_svc.store.locks import (
    is_answering,
    is_deleted,
    locked,
    no_conversation,
    remember_deleted,
    unpaid,
)
from services.chat_svc.store.media import delete_unused
from services.chat_svc.store.words import tsquery

ADD = """
    INSERT INTO conversations (
        user_id, id, character, display_name, message_count, created_at, updated_at, others, turn_taking, titled,
        archived, current_id, last_position, summary, summary_until, forked_from, token_count
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $5, $13, $14, $15, $16)
"""

ADD_NEW = f"{ADD} ON CONFLICT (user_id, id) DO NOTHING RETURNING id"

PAGE = f"""
    SELECT * FROM conversations
    WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $3::uuid))
        AND archived = $5 AND ($6 = '' OR $6 = character OR $6 = ANY(others))
        AND ($7 = '' OR words_of(display_name) @@ {tsquery("$7::text", "$8::boolean")})
    ORDER BY updated_at DESC, id DESC
    LIMIT $4
"""  # noqa: S608 (our own)

CHANGE = """
    UPDATE conversations SET display_name = $3, titled = $4, archived = $5, turn_taking = $6::jsonb
    WHERE user_id = $1 AND id = $2
"""

SHOWN = """
    SELECT id FROM media WHERE user_id = $1 AND conversation_id = $2
    UNION
    SELECT unnest(media) FROM messages WHERE user_id = $1 AND conversation_id = $2 AND media <> '{}'
"""

UNPAID = "SELECT EXISTS (SELECT FROM messages WHERE user_id = $1 AND conversation_id = $2 AND NOT hold_resolved)"


@dataclass(frozen=True)
class Ready:
    """A conversation, and what is to know before an answer begins in it.

    Whether that answer has `begun` already, and whether another one is being made or about to follow.
    """

    conversation: Conversation
    begun: bool
    answering: bool


class Conversations:
    """Every conversation, each seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def conversation(self, user: str, conversation_id: UUID) -> Conversation:
        """One of the user's conversations; NOT_FOUND when they have no such."""
        query = "SELECT * FROM conversations WHERE user_id = $1 AND id = $2"
        async with connection(self._pool) as database:
            row = await database.fetchrow(query, user, conversation_id)
        if row is None:
            raise no_conversation()
        return rows.conversation(row)

    async def ready(self, user: str, conversation_id: UUID, answer_id: UUID) -> Ready:
        """One of the user's conversations, for an answer with this id; NOT_FOUND when they have no such."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(READY, user, conversation_id, answer_id)
        if row is None:
            raise no_conversation()
        return Ready(rows.conversation(row), row["begun"], row["answering"])

    async def page(
        self, user: str, after: tuple[datetime, UUID] | None, limit: int, wanted: Filter
    ) -> list[Conversation]:
        """Conversations behind `after` (when it was used last, id), the one used last first."""
        used_at, conversation_id = after or (None, None)
        filters = (wanted.archived, wanted.character, in_pairs(wanted.query), is_unfinished(wanted.query))
        async with connection(self._pool) as database:
            found = await database.fetch(PAGE, user, used_at, conversation_id, limit, *filters)
        return [rows.conversation(row) for row in found]

    async def change(
        self, user: str, conversation_id: UUID, change: ConversationChange, characters: str
    ) -> Conversation:
        """The conversation after the change; `characters` is its name where nobody gives it a title."""
        async with connection(self._pool) as database, database.transaction():
            conversation = await locked(database, user, conversation_id)
            if conversation is None:
                raise no_conversation()
            after = changed(conversation, change, characters)
            group = rows.turn_taking(after.group)
            await database.execute(
                CHANGE, user, conversation_id, after.display_name, after.titled, after.archived, group
            )
        return after

    async def delete(self, user: str, conversation_id: UUID) -> None:
        """Deletes it with all that belongs to it.

        ABORTED during an answer; UNAVAILABLE while the hold of an answer is not resolved.
        """
        async with connection(self._pool) as database, database.transaction():
            if await locked(database, user, conversation_id) is None:
                if await is_deleted(database, user, conversation_id):
                    return
                raise no_conversation()
            if await is_answering(database, user, conversation_id):
                raise in_progress()
            if await database.fetchval(UNPAID, user, conversation_id):
                raise unpaid()
            shown = [row["id"] for row in await database.fetch(SHOWN, user, conversation_id)]
            await database.execute("DELETE FROM conversations WHERE user_id = $1 AND id = $2", user, conversation_id)
            await delete_unused(database, user, shown)
            await remember_deleted(database, user, conversation_id)


async def insert(database: PoolConnectionProxy, conversation: Conversation) -> None:
    """Keeps a conversation whose messages, where it has any, have the first positions."""
    await database.execute(ADD, *_values(conversation))


async def insert_new(database: PoolConnectionProxy, conversations: Iterable[Conversation]) -> set[UUID]:
    """Keeps those that are not there yet, and gives their ids; waits for whoever is adding the same."""
    added = await database.fetchmany(ADD_NEW, [_values(one) for one in conversations])
    return {row["id"] for row in added}


def _values(conversation: Conversation) -> tuple[object, ...]:
    return (
        conversation.user,
        conversation.id,
        conversation.character,
        conversation.display_name,
        conversation.message_count,
        conversation.created_at,
        conversation.updated_at,
        list(conversation.others),
        rows.turn_taking(conversation.group),
        conversation.titled,
        conversation.archived,
        conversation.current,
        conversation.summary,
        conversation.summary_until,
        conversation.forked_from,
        conversation.token_count,
    )
