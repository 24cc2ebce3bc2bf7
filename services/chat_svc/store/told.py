"""Conversations that begin with messages: greetings, and what was said elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.events.schema import append
from runtime.postgres import Pool, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Conversation, Message
from services.chat_svc.domain.entry import to_json
from services.chat_svc.store import brought, rows
from services.chat_svc.store.conversations import insert_new
from services.chat_svc.store.telling import Telling

# Nothing is held for what nobody asked for here.
ADD = """
    INSERT INTO messages (
        user_id, conversation_id, id, position, role, text, state, created_at, parent_id, character, pinned, reaction,
        edited_at, model, log, finish_reason, failure_reason, media, next_id, input_tokens, output_tokens,
        usage_estimated, cached_tokens
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::jsonb, $16, $17, $18, $19, $20, $21,
        $22, $23)
"""

# So many are kept within the seconds that a command may take, and hold up nobody else here.
BATCH = 500


class Told:
    """Opens conversations in which something was said already; `kept` is called after each, to wake who tells it."""

    def __init__(self, pool: Pool, kept: Callable[[], None]) -> None:
        self._pool = pool
        self._kept = kept

    async def add(self, conversation: Conversation, messages: Sequence[Message], announced: Envelope) -> Conversation:
        """Keeps a new conversation with its messages, parents first; or gives the one with its id that is there.

        Its counts and its current message are the caller's to set.
        """
        (kept,) = await self.several([Telling(conversation, messages, announced)])
        return kept or conversation

    async def several(self, tellings: Sequence[Telling]) -> list[Conversation | None]:
        """Keeps one person's conversations, all at once, and gives them; those that are there already as they are.

        None stands for one that nothing was kept of, since its media are more than the person may have.
        """
        user = tellings[0].conversation.user
        async with connection(self._pool) as database, database.transaction():
            there = await _there(database, user, [one.conversation.id for one in tellings])
            new = [one for one in tellings if one.conversation.id not in there]
            if new:
                there |= await _keep(database, user, new)
        self._kept()
        return [there.get(one.conversation.id) for one in tellings]


async def _keep(database: PoolConnectionProxy, user: str, new: list[Telling]) -> dict[UUID, Conversation]:
    """Keeps those whose media fit, and gives all of these, also those that a twin of this call has kept meanwhile."""
    there = await brought.kept(database, user, new)
    fitting = await brought.fitting(database, user, new, there)
    wanted = await _of_known_sources(database, user, [one.conversation for one in fitting])
    added = await insert_new(database, wanted)
    told = [one for one in fitting if one.conversation.id in added]
    await append(database, [one.announced for one in told])
    media = await brought.keep(database, user, told, there)
    await _tell(database, [message for one in told for message in one.messages], media)
    missed = [one.id for one in wanted if one.id not in added]
    kept = {one.id: one for one in wanted if one.id in added}
    return kept | (await _there(database, user, missed) if missed else {})


async def _there(database: PoolConnectionProxy, user: str, ids: Sequence[UUID]) -> dict[UUID, Conversation]:
    query = "SELECT * FROM conversations WHERE user_id = $1 AND id = ANY($2::uuid[])"
    return {row["id"]: rows.conversation(row) for row in await database.fetch(query, user, ids)}


async def _of_known_sources(
    database: PoolConnectionProxy, user: str, conversations: Sequence[Conversation]
) -> list[Conversation]:
    """The conversations, forked from what the user has or from nothing."""
    sources = {one.forked_from for one in conversations if one.forked_from is not None}
    known = await _there(database, user, list(sources)) if sources else {}
    return [one if one.forked_from in known else replace(one, forked_from=None) for one in conversations]


async def _tell(database: PoolConnectionProxy, messages: Sequence[Message], media: Collection[UUID]) -> None:
    # Many at once, since ten thousand round trips would take longer than the call may.
    for start in range(0, len(messages), BATCH):
        await database.executemany(ADD, [_row(one, media) for one in messages[start : start + BATCH]])


def _row(message: Message, media: Collection[UUID]) -> tuple[object, ...]:
    usage = message.usage
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
        json.dumps([to_json(entry) for entry in message.log]) if message.log else "[]",
        message.finish.value if message.finish else None,
        message.failure.value if message.failure else None,
        [one for one in message.media if one in media],
        message.next,
        usage.input_tokens if usage else None,
        usage.output_tokens if usage else None,
        usage.estimated if usage else False,
        usage.cached_tokens if usage else 0,
    )
