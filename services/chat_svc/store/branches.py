"""The branches of a conversation: which one is chosen, and taking one off."""

from __future__ import annotations

from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.tree import Node, Tree
from services.chat_svc.store import rows
from services.chat_svc.store.answers import in_progress
from services.chat_svc.store.locks import is_answering, is_deleted, locked, no_message, remember_deleted, unpaid
from services.chat_svc.store.media import let_go
from services.chat_svc.store.trees import read_tree

# All at once: one after the other, each would look for what was said after it anew, as deep as the branch is long.
DELETE = "DELETE FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = ANY($3::uuid[]) RETURNING media"

CHOOSE = """
    UPDATE conversations SET current_id = $3, message_count = message_count - $4,
        summary = CASE WHEN $5 THEN summary ELSE '' END,
        summary_until = CASE WHEN $5 THEN summary_until END
    WHERE user_id = $1 AND id = $2
    RETURNING *
"""

FORGET = "UPDATE conversations SET summary = '', summary_until = NULL WHERE user_id = $1 AND id = $2"


class Branches:
    """Changes of the tree, one at a time in each conversation."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def choose(self, user: str, conversation_id: UUID, message_id: UUID) -> Conversation:
        """The conversation goes on from the newest message said after this one. ABORTED during an answer."""
        async with connection(self._pool) as database, database.transaction():
            conversation = await locked(database, user, conversation_id)
            tree = await read_tree(database, user, conversation_id)
            if conversation is None or message_id not in tree:
                raise no_message()
            if await is_answering(database, user, conversation_id):
                raise in_progress()
            return await _goes_on(database, conversation, tree, tree.newest(message_id))

    async def delete(self, user: str, conversation_id: UUID, message_id: UUID) -> Conversation:
        """The conversation without the message and all that was said after it, and without what only they showed.

        ABORTED while one of them is being made; UNAVAILABLE while the hold of one of them is not resolved.
        """
        async with connection(self._pool) as database, database.transaction():
            conversation = await locked(database, user, conversation_id)
            tree = await read_tree(database, user, conversation_id)
            if conversation is None or not (message_id in tree or await is_deleted(database, user, message_id)):
                raise no_message()
            if message_id not in tree:
                return conversation
            gone, left = tree.subtree(message_id), tree.without(message_id)
            _check_ended(gone)
            deleted = await database.fetch(DELETE, user, conversation_id, [node.id for node in gone])
            await let_go(database, user, conversation_id, list({one for row in deleted for one in row["media"]}))
            await remember_deleted(database, user, message_id)
            current = conversation.current
            if current not in left:
                current = left.last_after(tree[message_id].parent)
            return await _goes_on(database, conversation, left, current, fewer=len(gone))


def _check_ended(nodes: list[Node]) -> None:
    if any(node.streaming for node in nodes):
        raise in_progress()
    if any(node.held for node in nodes):
        raise unpaid()


async def _goes_on(
    database: PoolConnectionProxy, conversation: Conversation, tree: Tree, current: UUID | None, fewer: int = 0
) -> Conversation:
    """Keeps where the conversation goes on. A summary stays where all that it covers is on that branch."""
    covered = conversation.summary_until in {node.id for node in tree.line(current)}
    row = await database.fetchrow(CHOOSE, conversation.user, conversation.id, current, fewer, covered)
    assert row is not None  # noqa: S101 (it is locked)
    return rows.conversation(row)


async def forget_edited(database: PoolConnectionProxy, conversation: Conversation, message_id: UUID) -> None:
    """Forgets the summary where it covers a message that is another now."""
    if conversation.summary_until is None:
        return
    tree = await read_tree(database, conversation.user, conversation.id)
    if message_id in {node.id for node in tree.line(conversation.summary_until)}:
        await database.execute(FORGET, conversation.user, conversation.id)
