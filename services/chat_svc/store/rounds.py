"""Rounds of a group: who has spoken, what is to follow, and their end.

An answer that another is to follow has that one's id before it begins. Once the answer has ended, its lease is that of
the pause: until it lapses, or the next one begins, the conversation is answering still.

What a round is to be is kept by its first answer, and how far it is stands in the answers. Where the next one does not
come in time, whoever looks may go on with the round; however many do, an answer begins once.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from pydantic import TypeAdapter

from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.round import Plan, Round
from services.chat_svc.store import rows
from services.chat_svc.store.locks import locked_row

PLAN = TypeAdapter(Plan)

# The next answer is late by so much when others may begin it; the lease of the pause runs on as long again.
LATE_SECONDS = 2.5
# Whoever goes on with a round has so long to begin the next answer.
TAKEN_SECONDS = 5.0
# What one process takes at a time.
TAKEN_MAX = 20

# From a message back to the first one, so many steps at most.
SPOKEN = """
    WITH RECURSIVE branch AS (
        SELECT id, parent_id, position, character, 1 AS steps FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3
        UNION ALL
        SELECT one.id, one.parent_id, one.position, one.character, steps + 1
        FROM messages one JOIN branch ON one.id = branch.parent_id
        WHERE one.user_id = $1 AND one.conversation_id = $2 AND steps < $4
    )
    SELECT position, character FROM branch ORDER BY position
"""

# An answer and those that followed it in its round.
FOLLOWED = """
    WITH RECURSIVE round AS (
        SELECT id, next_id, character, 1 AS place FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3
        UNION ALL
        SELECT one.id, one.next_id, one.character, place + 1
        FROM messages one JOIN round ON one.id = round.next_id
        WHERE one.user_id = $1 AND one.conversation_id = $2 AND place < 8
    )
    SELECT character FROM round ORDER BY place
"""

# Back from an answer to what the person said last before it.
SHOWS = """
    WITH RECURSIVE line AS (
        SELECT id, parent_id, role, media, 1 AS steps FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3
        UNION ALL
        SELECT one.id, one.parent_id, one.role, one.media, steps + 1
        FROM messages one JOIN line ON one.id = line.parent_id
        WHERE one.user_id = $1 AND one.conversation_id = $2 AND line.role = 'character' AND steps < 100
    )
    SELECT cardinality(media) > 0 FROM line WHERE role = 'user'
"""

LAST_ANSWER = """
    SELECT id FROM messages
    WHERE user_id = $1 AND conversation_id = $2 AND parent_id = $3 AND role = 'character'
    ORDER BY position DESC
    LIMIT 1
"""

# The answer before it is the last message as long as that is so.
IS_COMING = """
    SELECT EXISTS (
        SELECT FROM conversations conversation JOIN messages last
            ON (last.user_id, last.conversation_id, last.id)
                = (conversation.user_id, conversation.id, conversation.current_id)
        WHERE conversation.user_id = $1 AND conversation.id = $2
            AND last.next_id = $3 AND (last.state = 'streaming' OR last.lease_until > now())
    )
"""

END = """
    UPDATE messages message SET next_id = NULL
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND state <> 'streaming'
        AND NOT EXISTS (
            SELECT FROM messages one
            WHERE one.user_id = $1 AND one.conversation_id = $2 AND one.id = message.next_id
        )
    RETURNING id
"""

KEEP = """
    INSERT INTO rounds (user_id, conversation_id, answer_id, plan)
    SELECT user_id, conversation_id, id, $4::jsonb FROM messages
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3
    ON CONFLICT DO NOTHING
"""

# From an answer back to the first one of its round.
UNDER_WAY = """
    WITH RECURSIVE line AS (
        SELECT id, parent_id, charged, 0 AS place FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND next_id IS NOT NULL AND NOT stop_wished
        UNION ALL
        SELECT one.id, one.parent_id, one.charged, place + 1
        FROM messages one JOIN line ON one.id = line.parent_id AND one.next_id = line.id
        WHERE one.user_id = $1 AND one.conversation_id = $2 AND place < 8
    )
    SELECT plan, place, (SELECT coalesce(sum(charged), 0)::bigint FROM line WHERE place > 0) AS charged
    FROM line JOIN rounds ON rounds.answer_id = line.id
    WHERE user_id = $1 AND conversation_id = $2
"""

# SKIP LOCKED: of several processes that look at once, each takes what the others do not.
TAKE_LATE = """
    UPDATE messages SET lease_until = clock_timestamp() + make_interval(secs => $1)
    WHERE (user_id, conversation_id, id) IN (
        SELECT last.user_id, last.conversation_id, last.id
        FROM rounds
            JOIN conversations conversation
                ON (conversation.user_id, conversation.id) = (rounds.user_id, rounds.conversation_id)
            JOIN messages last
                ON (last.user_id, last.conversation_id, last.id)
                    = (conversation.user_id, conversation.id, conversation.current_id)
        WHERE last.state <> 'streaming' AND last.next_id IS NOT NULL
            AND last.lease_until > now() AND last.lease_until < now() + make_interval(secs => $2)
        LIMIT $3
        FOR UPDATE OF last SKIP LOCKED
    )
    RETURNING *
"""

# Of the lease, what the others wait for an owner that may only be slow.
LEAVE = """
    UPDATE messages SET lease_until = lease_until - make_interval(secs => $4)
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND next_id IS NOT NULL AND state <> 'streaming'
        AND lease_until > now()
"""

FORGET_ENDED = """
    DELETE FROM rounds WHERE (user_id, conversation_id, answer_id) IN (
        SELECT user_id, conversation_id, answer_id FROM rounds
        WHERE NOT EXISTS (
            SELECT FROM conversations conversation JOIN messages last
                ON (last.user_id, last.conversation_id, last.id)
                    = (conversation.user_id, conversation.id, conversation.current_id)
            WHERE (conversation.user_id, conversation.id) = (rounds.user_id, rounds.conversation_id)
                AND (last.state = 'streaming' OR (last.next_id IS NOT NULL AND last.lease_until > now()))
        )
        FOR UPDATE SKIP LOCKED
    )
"""


class Rounds:
    """Every round, each seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def spoken(self, user: str, conversation_id: UUID, leaf: UUID | None, limit: int) -> list[tuple[int, str]]:
        """The newest messages of the branch that ends with `leaf`, oldest first: where each stands, and its character.

        That is empty for the person's own.
        """
        async with connection(self._pool) as database:
            found = await database.fetch(SPOKEN, user, conversation_id, leaf, limit)
        return [(row["position"], row["character"]) for row in found]

    async def followed(self, answer: Message) -> tuple[str, ...]:
        """Who spoke in an answer's round from that answer on."""
        async with connection(self._pool) as database:
            found = await database.fetch(FOLLOWED, answer.user, answer.conversation, answer.id)
        return tuple(row["character"] for row in found)

    async def answered(self, question: Message) -> tuple[str, ...]:
        """Who answered the person's message, the last time that it was answered."""
        async with connection(self._pool) as database:
            first = await database.fetchval(LAST_ANSWER, question.user, question.conversation, question.id)
            found = await database.fetch(FOLLOWED, question.user, question.conversation, first)
        return tuple(row["character"] for row in found)

    async def is_coming(self, user: str, conversation_id: UUID, answer_id: UUID) -> bool:
        """Whether this answer is one that is to follow another in a round that goes on."""
        async with connection(self._pool) as database:
            return bool(await database.fetchval(IS_COMING, user, conversation_id, answer_id))

    async def end(self, answer: Message) -> Message:
        """Ends a round behind an answer that has ended, unless the next one has begun."""
        async with connection(self._pool) as database, database.transaction():
            # Whoever begins the next one holds the same lock.
            await locked_row(database, answer.user, answer.conversation)
            ended = await database.fetchval(END, answer.user, answer.conversation, answer.id)
        return answer if ended is None else replace(answer, next=None)

    async def keep(self, answer: Message, plan: Plan) -> None:
        """Keeps what the round is to be that this answer is the first of."""
        kept = PLAN.dump_json(plan).decode()
        async with connection(self._pool) as database:
            await database.execute(KEEP, answer.user, answer.conversation, answer.id, kept)

    async def under_way(self, answer: Message) -> Round | None:
        """The round that an answer is part of, as far as it was before that.

        None where nobody follows on it, and where the person wished it stopped.
        """
        async with connection(self._pool) as database:
            found = await database.fetchrow(UNDER_WAY, answer.user, answer.conversation, answer.id)
        if found is None:
            return None
        return Round(PLAN.validate_json(found["plan"]), found["place"], found["charged"], kept=True)

    async def take_late(self) -> list[Message]:
        """Answers on which another one was to follow by now, and nobody has begun it: the caller is to.

        Rounds that have ended are forgotten meanwhile.
        """
        async with connection(self._pool) as database:
            await database.execute(FORGET_ENDED)
            taken = await database.fetch(TAKE_LATE, TAKEN_SECONDS, LATE_SECONDS, TAKEN_MAX)
        return rows.readable(taken, rows.message)

    async def leave(self, answer: Message) -> None:
        """Lets others begin the next answer once the pause is over; where nobody does, the round ends."""
        async with connection(self._pool) as database:
            await database.execute(LEAVE, answer.user, answer.conversation, answer.id, LATE_SECONDS)

    async def shows(self, answer: Message) -> bool:
        """Whether the person showed something when they said what an answer is to."""
        async with connection(self._pool) as database:
            return bool(await database.fetchval(SHOWS, answer.user, answer.conversation, answer.id))
