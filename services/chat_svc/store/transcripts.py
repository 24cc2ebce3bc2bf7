"""Transcripts: what a branch has for a prompt, and what was made of it: summaries, titles and follow-ups."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Conversation, Message, Role, State
from services.chat_svc.store.locks import no_message

# A branch goes back from each message to an earlier one, so that one look through the messages, newest first, meets all
# of it. To ask for one parent after the other takes the database long where it does not know its table yet.
STEPS = """
    SELECT {columns}, octet_length(text) AS bytes FROM messages
    WHERE user_id = $1 AND conversation_id = $2
        AND position <= coalesce($3, (
            SELECT position FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $4
        ))
    ORDER BY position DESC
    LIMIT $5
"""
STEPS_MAX = 1_000

# Of a conversation with so few messages all are read at once; of others, those that are on the branch.
FEW = 40

LIGHT = "id, position, role, text, state, created_at, parent_id, character, media, pinned, model"
LINKS = "id, parent_id, position"
THESE = f"""
    SELECT {LIGHT} FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = ANY($3::uuid[])
    ORDER BY position
"""  # noqa: S608 (our own)
PINNED = f"""
    SELECT {LIGHT} FROM messages WHERE user_id = $1 AND conversation_id = $2 AND pinned
    ORDER BY position
"""  # noqa: S608 (our own)

# Nobody else has summarised more meanwhile.
SUMMARISE = """
    UPDATE conversations SET summary = $3, summary_until = $4
    WHERE user_id = $1 AND id = $2 AND summary_until IS NOT DISTINCT FROM $5::uuid
"""

# The person's own title stays.
TITLE = "UPDATE conversations SET display_name = $3, titled = true WHERE user_id = $1 AND id = $2 AND NOT titled"

# What was made first stays.
SUGGEST = """
    UPDATE messages SET follow_ups = coalesce(follow_ups, $4)
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3
    RETURNING follow_ups
"""


@dataclass(frozen=True)
class Branch:
    """The newest messages of a branch, oldest first, without their logs. It may be `cut` by a limit, at any place."""

    messages: Sequence[Message]
    before: UUID | None
    cut: bool


class Transcripts:
    """Each conversation's, seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def branch(
        self, conversation: Conversation, leaf: UUID | None, until: UUID | None, messages_max: int, bytes_max: int
    ) -> Branch:
        """The branch that ends with `leaf`, behind the message `until` where that is on it, else from the first one."""
        if leaf is None:
            return Branch((), None, cut=False)
        line, taken, before = list[asyncpg.Record](), 0, leaf
        few = conversation.message_count <= FEW
        async with connection(self._pool) as database:
            async with aclosing(_back(database, conversation, leaf, LIGHT if few else LINKS)) as steps:
                async for step in steps:
                    if step["id"] == until or len(line) >= messages_max or taken >= bytes_max:
                        break
                    line.append(step)
                    taken += step["bytes"]
                    before = step["parent_id"]
            found = line[::-1]
            if not few:
                found = await database.fetch(THESE, conversation.user, conversation.id, [step["id"] for step in line])
        return Branch([_light(conversation, row) for row in found], before, cut=before not in (None, until))

    async def pinned(self, conversation: Conversation, leaf: UUID) -> list[Message]:
        """The pinned messages of the branch that ends with `leaf`, oldest first."""
        line = set[UUID]()
        async with connection(self._pool) as database:
            found = await database.fetch(PINNED, conversation.user, conversation.id)
            if found:
                async with aclosing(_back(database, conversation, leaf, LINKS)) as steps:
                    async for step in steps:
                        if step["position"] < found[0]["position"]:
                            break
                        line.add(step["id"])
        return [_light(conversation, row) for row in found if row["id"] in line]

    async def summarise(self, conversation: Conversation, summary: str, until: UUID) -> None:
        """Keeps a summary of a branch up to a message, unless there is another one than when it was begun."""
        changes = (summary, until, conversation.summary_until)
        async with connection(self._pool) as database:
            await database.execute(SUMMARISE, conversation.user, conversation.id, *changes)

    async def title(self, conversation: Conversation, title: str) -> None:
        """Gives a title to a conversation that has none yet."""
        async with connection(self._pool) as database:
            await database.execute(TITLE, conversation.user, conversation.id, title)

    async def follow_ups(self, message: Message) -> tuple[str, ...] | None:
        """What the person might say after a message; None where nobody made it up yet."""
        query = "SELECT follow_ups FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $3"
        async with connection(self._pool) as database:
            kept = await database.fetchval(query, message.user, message.conversation, message.id)
        return None if kept is None else tuple(kept)

    async def suggest(self, message: Message, follow_ups: Sequence[str]) -> tuple[str, ...]:
        """Keeps follow-ups, and gives those that stay: another process may have been faster."""
        async with connection(self._pool) as database:
            kept = await database.fetchval(SUGGEST, message.user, message.conversation, message.id, list(follow_ups))
        if kept is None:
            raise no_message()
        return tuple(kept)


async def _back(
    database: PoolConnectionProxy, conversation: Conversation, leaf: UUID | None, columns: str
) -> AsyncGenerator[asyncpg.Record, None]:
    """The messages of a branch from its last one back to its first."""
    wanted, newest, query = leaf, None, STEPS.format(columns=columns)
    while wanted is not None:
        rows = await database.fetch(query, conversation.user, conversation.id, newest, leaf, STEPS_MAX)
        for row in rows:
            if row["id"] == wanted:
                wanted = row["parent_id"]
                yield row
        if len(rows) < STEPS_MAX:
            return
        newest = rows[-1]["position"] - 1


def _light(conversation: Conversation, row: asyncpg.Record) -> Message:
    return Message(
        conversation.user,
        conversation.id,
        row["id"],
        row["position"],
        Role(row["role"]),
        row["text"],
        State(row["state"]),
        row["created_at"],
        parent=row["parent_id"],
        character=row["character"],
        media=tuple(row["media"]),
        pinned=row["pinned"],
        model=row["model"],
    )
