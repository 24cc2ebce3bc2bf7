"""Transcripts: what a branch has for a prompt, and what was made of it: summaries and titles."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Conversation, Message, Role, State
from services.chat_svc.store.locks import locked

# A branch goes back from each message to an earlier one, so that one look through the messages, newest first, meets all
# of it. To ask for one parent after the other takes the database long where it does not know its table yet. With the
# last message that it covers comes the summary as it stands then: one that was forgotten meanwhile is told to nobody.
STEPS = """
    SELECT {columns}, octet_length(text) AS bytes, CASE
        WHEN id = (SELECT summary_until FROM conversations WHERE user_id = $1 AND id = $2)
        THEN (SELECT summary FROM conversations WHERE user_id = $1 AND id = $2)
    END AS summary
    FROM messages
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

SUMMARISE = "UPDATE conversations SET summary = $3, summary_until = $4 WHERE user_id = $1 AND id = $2"

# Whoever edits or deletes a message holds the conversation's lock, as this does.
AS_TOLD = """
    SELECT count(*) FROM messages JOIN unnest($3::uuid[], $4::text[], $5::text[]) AS told (id, text, state)
        USING (id, text, state)
    WHERE user_id = $1 AND conversation_id = $2
"""

# The person's own title stays.
TITLE = "UPDATE conversations SET display_name = $3, titled = true WHERE user_id = $1 AND id = $2 AND NOT titled"


@dataclass(frozen=True)
class Branch:
    """The newest messages of a branch, oldest first, without their logs. It may be `cut` by a limit, at any place.

    `summary` covers all that is before them, where it is not empty.
    """

    messages: Sequence[Message]
    before: UUID | None
    cut: bool
    summary: str = ""


class Transcripts:
    """Each conversation's, seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def branch(
        self, conversation: Conversation, leaf: UUID | None, messages_max: int, bytes_max: int, *, whole: bool = False
    ) -> Branch:
        """The branch that ends with `leaf`, behind what the summary covers, or from the first message on.

        Where the summary is not of this branch, or the `whole` of it is wanted, nothing stands in for it.
        """
        if leaf is None:
            return Branch((), None, cut=False)
        line, taken, before, summary = list[asyncpg.Record](), 0, leaf, None
        few = conversation.message_count <= FEW
        async with connection(self._pool) as database:
            async with aclosing(_back(database, conversation, leaf, LIGHT if few else LINKS)) as steps:
                async for step in steps:
                    summary = None if whole else step["summary"]
                    if summary is not None or len(line) >= messages_max or taken >= bytes_max:
                        break
                    line.append(step)
                    taken += step["bytes"]
                    before = step["parent_id"]
            found = line[::-1]
            if not few:
                found = await database.fetch(THESE, conversation.user, conversation.id, [step["id"] for step in line])
        cut = before is not None and summary is None
        return Branch([_light(conversation, row) for row in found], before, cut, summary or "")

    async def oldest(self, conversation: Conversation, leaf: UUID, messages_max: int, bytes_max: int) -> Branch:
        """The oldest messages of that branch that somebody said, however long it is, and others between them.

        They have so many bytes together, or are one.
        """
        line, before, summary = list[asyncpg.Record](), None, None
        async with connection(self._pool) as database:
            async with aclosing(_back(database, conversation, leaf, f"{LINKS}, state")) as steps:
                async for step in steps:
                    summary = step["summary"]
                    if summary is not None:
                        break
                    line.append(step)
                    before = step["parent_id"]
            ids = _within(line[::-1], messages_max, bytes_max)
            found = await database.fetch(THESE, conversation.user, conversation.id, ids)
        return Branch([_light(conversation, row) for row in found], before, cut=False, summary=summary or "")

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

    async def summarise(self, conversation: Conversation, summary: str, covered: Sequence[Message]) -> bool:
        """Keeps a summary of a branch up to the last of the messages that it was made of, with the one before it.

        False, and nothing is kept, where one of them is another now, or none, or the conversation's summary is.
        """
        told = [[one.id for one in covered], [one.text for one in covered], [one.state.value for one in covered]]
        async with connection(self._pool) as database, database.transaction():
            now = await locked(database, conversation.user, conversation.id)
            before = (conversation.summary, conversation.summary_until)
            if now is None or (now.summary, now.summary_until) != before:
                return False
            if await database.fetchval(AS_TOLD, conversation.user, conversation.id, *told) < len(covered):
                return False
            await database.execute(SUMMARISE, conversation.user, conversation.id, summary, covered[-1].id)
        return True

    async def title(self, conversation: Conversation, title: str) -> None:
        """Gives a title to a conversation that has none yet."""
        async with connection(self._pool) as database:
            await database.execute(TITLE, conversation.user, conversation.id, title)


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


def _within(line: Sequence[asyncpg.Record], messages_max: int, bytes_max: int) -> list[UUID]:
    """The first of the messages, up to a limit; those that nobody said count for nothing."""
    count, taken = 0, 0
    for place, step in enumerate(line):
        if step["state"] == State.FAILED.value and not step["bytes"]:
            continue
        count, taken = count + 1, taken + step["bytes"]
        if count > messages_max or (count > 1 and taken > bytes_max):
            return [one["id"] for one in line[:place]]
    return [one["id"] for one in line]


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
