"""Conversations that begin with what was said in another one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from runtime.events.schema import append
from runtime.postgres import Pool, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.domain.forking import Fork, copy_id, forked
from services.chat_svc.store.answers import in_progress
from services.chat_svc.store.conversations import insert
from services.chat_svc.store.locks import locked, no_message
from services.chat_svc.store.trees import read_tree

# What an answer cost stays with the original; a copy says what was said, by whom, and what the person thinks of it.
COPY = """
    WITH copies AS (SELECT * FROM unnest($4::uuid[], $5::uuid[]) AS copy (old, new))
    INSERT INTO messages (
        user_id, conversation_id, id, position, role, text, state, created_at, parent_id, character, media, pinned,
        reaction, edited_at, next_id, follow_ups, model, log, input_tokens, output_tokens, usage_estimated,
        cached_tokens, finish_reason, failure_reason
    )
    SELECT user_id, $3, copy.new, row_number() OVER (ORDER BY position), role, text, state, created_at, parent.new,
        character, media, pinned, reaction, edited_at, next.new, follow_ups, model, log, input_tokens, output_tokens,
        usage_estimated, cached_tokens, finish_reason, failure_reason
    FROM messages
    JOIN copies copy ON copy.old = messages.id
    LEFT JOIN copies parent ON parent.old = messages.parent_id
    LEFT JOIN copies next ON next.old = messages.next_id
    WHERE user_id = $1 AND conversation_id = $2
"""


class Forks:
    """Every fork is a copy: what is changed or deleted in one conversation stays as it is in the other.

    `kept` is called after each, to wake who tells it.
    """

    def __init__(self, pool: Pool, kept: Callable[[], None]) -> None:
        self._pool = pool
        self._kept = kept

    async def fork(
        self, user: str, conversation_id: UUID, fork: Fork, announced: Callable[[Conversation], Envelope]
    ) -> Conversation:
        """The new conversation, or the one that an earlier call with the same id made; ABORTED at a live answer."""
        async with connection(self._pool) as database, database.transaction():
            source = await locked(database, user, conversation_id)
            if source is None:
                raise no_message()
            earlier = await locked(database, user, fork.id)
            if earlier is not None:
                return earlier
            tree = await read_tree(database, user, conversation_id)
            if fork.message not in tree:
                raise no_message()
            taken = tree.until(fork.message) if fork.all_branches else tree.line(fork.message)
            if any(node.streaming for node in taken):
                raise in_progress()
            ids = [node.id for node in taken]
            new = forked(source, fork, frozenset(ids), sum(node.tokens for node in taken))
            await insert(database, new)
            await database.execute(COPY, user, source.id, new.id, ids, [copy_id(new.id, one) for one in ids])
            await append(database, [announced(new)])
        self._kept()
        return new
