"""A conversation's tree. It is read whole, in one go along an index, and walked in memory.

To walk it in the database is a recursion that visits the conversation anew at every step, unless it is planned well.
"""

from __future__ import annotations

from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from services.chat_svc.domain.tree import Node, Tree

NODES = """
    SELECT id, parent_id, position, pinned, state = 'streaming' AS streaming, NOT hold_resolved AS held,
        coalesce(input_tokens + output_tokens, 0) AS tokens
    FROM messages
    WHERE user_id = $1 AND conversation_id = $2
    ORDER BY position
"""


async def read_tree(database: PoolConnectionProxy, user: str, conversation_id: UUID) -> Tree:
    """Empty where the user has no such conversation."""
    return Tree(Node(*row) for row in await database.fetch(NODES, user, conversation_id))
