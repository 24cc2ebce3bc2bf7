"""Answers in progress: who runs each, how it ended, and whether its hold is resolved.

An owner keeps a lease on what it runs. The database's clock alone decides whether a lease has lapsed, and an owner that
lost one can change nothing any more.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import Aborted, NotFound
from runtime.postgres import Pool, connection
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.entry import to_json
from services.chat_svc.store import rows

LEASE_SECONDS = 5.0

# What one recovery takes at a time.
LAPSED_MAX = 50

ADD = """
    INSERT INTO messages (
        user_id, conversation_id, id, position, role, text, state, created_at,
        model, hold, meter, price, prompt_tokens, hold_resolved, owner, lease_until
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, now() + make_interval(secs => $16))
"""

END = """
    UPDATE messages SET
        text = $5, state = $6, model = $7, log = $8::jsonb, input_tokens = $9, output_tokens = $10,
        usage_estimated = $11, cached_tokens = $12, finish_reason = $13, failure_reason = $14, charged = $15,
        attempts = $16::jsonb, cost = $17, lease_until = now() + make_interval(secs => $18)
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND owner = $4 AND state = 'streaming'
    RETURNING position
"""

RENEW = """
    UPDATE messages SET lease_until = now() + make_interval(secs => $3)
    WHERE owner = $1 AND id = ANY($2::uuid[]) AND state = 'streaming'
    RETURNING id, stop_wished
"""

WISH_STOPPED = "UPDATE messages SET stop_wished = true WHERE user_id = $1 AND conversation_id = $2 AND id = $3"

# SKIP LOCKED: of several processes that look at once, each takes what the others do not.
TAKE_LAPSED = """
    UPDATE messages SET owner = $1, lease_until = now() + make_interval(secs => $3)
    WHERE (user_id, conversation_id, id) IN (
        SELECT user_id, conversation_id, id FROM messages
        WHERE NOT hold_resolved AND lease_until < now() AND id <> ALL($2::uuid[])
        ORDER BY lease_until
        LIMIT $4
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""

RESOLVED = "UPDATE messages SET hold_resolved = true WHERE user_id = $1 AND conversation_id = $2 AND id = $3"


@dataclass(frozen=True)
class Begun:
    """An answer and what it answers; not `new` when an earlier call with the same request began it."""

    question: Message
    answer: Message
    new: bool


@dataclass(frozen=True)
class Renewed:
    """The answers that are still this owner's, and those of them that somebody wants stopped."""

    kept: frozenset[UUID]
    wished_stopped: frozenset[UUID]


class Answers:
    """Every answer, each changed by its owner alone."""

    def __init__(self, pool: Pool, owner: UUID) -> None:
        self._pool = pool
        self._owner = owner

    async def find(self, user: str, conversation_id: UUID, answer_id: UUID) -> Begun | None:
        """A character's message and what it answers."""
        async with connection(self._pool) as database:
            return await _find(database, user, conversation_id, answer_id)

    async def get(self, user: str, conversation_id: UUID, answer_id: UUID) -> Begun:
        """The same; NOT_FOUND when the user has no such."""
        found = await self.find(user, conversation_id, answer_id)
        if found is None:
            raise NotFound("There is no such answer among yours.", reason="MESSAGE_NOT_FOUND")
        return found

    async def begin(self, question: Message, answer: Message) -> Begun:
        """Keeps both messages at the end of their conversation, or gives what an earlier call kept of this answer.

        ABORTED while another answer of the conversation is streaming.
        """
        async with connection(self._pool) as database, database.transaction():
            count = await database.fetchval(
                "SELECT message_count FROM conversations WHERE user_id = $1 AND id = $2 FOR UPDATE",
                answer.user,
                answer.conversation,
            )
            earlier = await _find(database, answer.user, answer.conversation, answer.id)
            if earlier is not None:
                return earlier
            if await _is_answering(database, answer.user, answer.conversation, answer.id):
                raise in_progress()
            question, answer = replace(question, position=count + 1), replace(answer, position=count + 2)
            await self._add(database, question)
            await self._add(database, answer)
            await database.execute(
                "UPDATE conversations SET message_count = $3, updated_at = $4 WHERE user_id = $1 AND id = $2",
                answer.user,
                answer.conversation,
                answer.position,
                answer.created_at,
            )
        return Begun(question, answer, new=True)

    async def check_idle(self, user: str, conversation_id: UUID, answer_id: UUID) -> None:
        """ABORTED while an answer of the conversation other than `answer_id`, which a twin may begin, is streaming."""
        async with connection(self._pool) as database:
            if await _is_answering(database, user, conversation_id, answer_id):
                raise in_progress()

    async def end(self, answer: Message, at: datetime) -> bool:
        """Keeps an answer as it ended; false when it is no longer this owner's."""
        usage = answer.usage
        async with connection(self._pool) as database, database.transaction():
            kept = await database.fetchval(
                END,
                answer.user,
                answer.conversation,
                answer.id,
                self._owner,
                answer.text,
                answer.state.value,
                answer.model,
                json.dumps([to_json(entry) for entry in answer.log]),
                usage.input_tokens if usage else None,
                usage.output_tokens if usage else None,
                usage.estimated if usage else False,
                usage.cached_tokens if usage else 0,
                answer.finish.value if answer.finish else None,
                answer.failure.value if answer.failure else None,
                answer.charged,
                rows.attempts(answer.spent),
                answer.spent.cost,
                LEASE_SECONDS,
            )
            if kept is None:
                return False
            await database.execute(
                "UPDATE conversations SET updated_at = greatest(updated_at, $3) WHERE user_id = $1 AND id = $2",
                answer.user,
                answer.conversation,
                at,
            )
        return True

    async def hold_resolved(self, answer: Message) -> None:
        """Keeps that the answer's hold needs nothing more."""
        async with connection(self._pool) as database:
            await database.execute(RESOLVED, answer.user, answer.conversation, answer.id)

    async def wish_stopped(self, answer: Message) -> None:
        """Whoever makes the answer is to stop it; they learn it when they renew their lease."""
        async with connection(self._pool) as database:
            await database.execute(WISH_STOPPED, answer.user, answer.conversation, answer.id)

    async def renew(self, running: Collection[UUID]) -> Renewed:
        """Prolongs the leases on running answers."""
        async with connection(self._pool) as database:
            kept = await database.fetch(RENEW, self._owner, list(running), LEASE_SECONDS)
        wished = frozenset(row["id"] for row in kept if row["stop_wished"])
        return Renewed(frozenset(row["id"] for row in kept), wished)

    async def take_lapsed(self, running: Collection[UUID]) -> list[Message]:
        """Makes this owner the owner of answers that nobody looks after, other than those `running` here.

        They are streaming ones whose owner died, and ended ones whose hold was never resolved.
        """
        async with connection(self._pool) as database:
            taken = await database.fetch(TAKE_LAPSED, self._owner, list(running), LEASE_SECONDS, LAPSED_MAX)
        return [rows.message(row) for row in taken]

    async def _add(self, database: PoolConnectionProxy, message: Message) -> None:
        has_hold = message.hold != ""
        await database.execute(
            ADD,
            message.user,
            message.conversation,
            message.id,
            message.position,
            message.role.value,
            message.text,
            message.state.value,
            message.created_at,
            message.model,
            message.hold,
            message.meter,
            message.price,
            message.prompt_tokens,
            not has_hold,
            self._owner if has_hold else None,
            LEASE_SECONDS,
        )


def in_progress() -> Aborted:
    return Aborted("The character is still answering in this conversation.", reason="ANSWER_IN_PROGRESS")


async def _is_answering(database: PoolConnectionProxy, user: str, conversation_id: UUID, but: UUID) -> bool:
    query = """
        SELECT EXISTS (
            SELECT FROM messages WHERE user_id = $1 AND conversation_id = $2 AND state = 'streaming' AND id <> $3
        )
    """
    return bool(await database.fetchval(query, user, conversation_id, but))


async def _find(database: PoolConnectionProxy, user: str, conversation_id: UUID, answer_id: UUID) -> Begun | None:
    query = """
        SELECT pair.* FROM messages answer
        JOIN messages pair USING (user_id, conversation_id)
        WHERE user_id = $1 AND conversation_id = $2 AND answer.id = $3 AND answer.role = 'character'
            AND pair.position IN (answer.position - 1, answer.position)
        ORDER BY pair.position
    """
    found = await database.fetch(query, user, conversation_id, answer_id)
    if not found:
        return None
    question, answer = (rows.message(row) for row in found)
    return Begun(question, answer, new=False)
