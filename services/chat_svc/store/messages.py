"""Messages: one, a branch, or all of a conversation; and what the person changes of one."""

import json
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import FailedPrecondition
from runtime.postgres import Pool, connection
from services.chat_svc.domain.changes import MessageChange, edited
from services.chat_svc.domain.conversation import Message, State
from services.chat_svc.domain.entry import to_json
from services.chat_svc.store import rows
from services.chat_svc.store.answers import in_progress
from services.chat_svc.store.branches import forget_edited
from services.chat_svc.store.families import with_siblings
from services.chat_svc.store.locks import locked, no_message
from services.chat_svc.store.suggestions import forget_follow_ups
from services.chat_svc.store.trees import read_tree

# Pinned messages stay in the prompt, so a conversation has so many at most.
PINS_MAX = 20

ONE = with_siblings("SELECT * FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $3")

SEVERAL = f"""
    {with_siblings("SELECT * FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = ANY($3::uuid[])")}
    ORDER BY position
"""  # noqa: S608 (our own)

ALL = """
    SELECT * FROM messages
    WHERE user_id = $1 AND conversation_id = $2 AND position > $3 AND (pinned OR NOT $5)
    ORDER BY position
    LIMIT $4
"""
ALL_PAGE = f"{with_siblings(ALL)} ORDER BY position"

PINS = "SELECT count(*) FROM messages WHERE user_id = $1 AND conversation_id = $2 AND pinned"

MARK = "UPDATE messages SET pinned = $4, reaction = $5 WHERE user_id = $1 AND conversation_id = $2 AND id = $3"

EDIT = """
    UPDATE messages SET text = $4, log = $5::jsonb, edited_at = $6
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3
"""


class Messages:
    """Every message, each seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, user: str, conversation_id: UUID, message_id: UUID) -> Message:
        """One message; NOT_FOUND when the user has no such."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(ONE, user, conversation_id, message_id)
        if row is None:
            raise no_message()
        return rows.message(row)

    async def branch_page(
        self, user: str, conversation_id: UUID, leaf: UUID | None, after_position: int, limit: int, *, pinned: bool
    ) -> list[Message]:
        """Messages of the branch that ends with `leaf`, behind a position, oldest first."""
        async with connection(self._pool) as database:
            line = (await read_tree(database, user, conversation_id)).line(leaf)
            page = [one.id for one in line if one.position > after_position and (one.pinned or not pinned)][:limit]
            found = await database.fetch(SEVERAL, user, conversation_id, page)
        return [rows.message(row) for row in found]

    async def page(
        self, user: str, conversation_id: UUID, after_position: int, limit: int, *, pinned: bool
    ) -> list[Message]:
        """Messages of all branches behind a position, oldest first."""
        async with connection(self._pool) as database:
            found = await database.fetch(ALL_PAGE, user, conversation_id, after_position, limit, pinned)
        return [rows.message(row) for row in found]

    async def change(
        self, user: str, conversation_id: UUID, message_id: UUID, change: MessageChange, at: datetime
    ) -> Message:
        """The message after the change.

        ABORTED for the text of an answer that is being made, FAILED_PRECONDITION for one pin too many.
        """
        async with connection(self._pool) as database, database.transaction():
            conversation = await locked(database, user, conversation_id)
            row = await database.fetchrow(ONE, user, conversation_id, message_id)
            if conversation is None or row is None:
                raise no_message()
            message = rows.message(row)
            if change.text is not None:
                message = await _edited(database, message, change.text, at)
                await forget_edited(database, conversation, message_id)
            if change.pinned is not None or change.reacts:
                message = await _marked(database, message, change)
        return message


async def _edited(database: PoolConnectionProxy, message: Message, text: str, at: datetime) -> Message:
    if message.state is State.STREAMING:
        raise in_progress()
    after = edited(message, text, at)
    if text == message.text:
        return message
    log = json.dumps([to_json(entry) for entry in after.log])
    await database.execute(EDIT, message.user, message.conversation, message.id, text, log, at)
    await forget_follow_ups(database, message.user, message.conversation, message.position)
    return after


async def _marked(database: PoolConnectionProxy, message: Message, change: MessageChange) -> Message:
    pinned = message.pinned if change.pinned is None else change.pinned
    if pinned and not message.pinned and await database.fetchval(PINS, message.user, message.conversation) >= PINS_MAX:
        raise FailedPrecondition(f"{PINS_MAX} messages are pinned already: unpin one first.", reason="TOO_MANY_PINS")
    reaction = change.reaction if change.reacts else message.reaction
    kept = reaction.value if reaction else None
    await database.execute(MARK, message.user, message.conversation, message.id, pinned, kept)
    return replace(message, pinned=pinned, reaction=reaction)
