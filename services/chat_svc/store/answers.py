"""Answers in progress: who runs each, how it ended, and whether its hold is resolved.

An owner keeps a lease on what it runs. The database's clock alone decides whether a lease has lapsed, and an owner that
lost one can change nothing any more.
"""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import Aborted, NotFound, Unavailable
from runtime.events.envelope import topic
from runtime.postgres import Pool, at_once, connection
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.chat_svc.domain.conversation import Message, Role
from services.chat_svc.domain.entry import to_json
from services.chat_svc.domain.handover import Handover
from services.chat_svc.store import rows
from services.chat_svc.store.beginning import ANSWERING, begin_at_once
from services.chat_svc.store.families import with_siblings
from services.chat_svc.store.leases import NOBODY, NOW, OFFER, RENEW, TAKE_BACK, TAKE_LAPSED, TAKE_OFFERED
from services.chat_svc.store.locks import Queues, locked_row
from services.chat_svc.store.media import show

LEASE_SECONDS = 5.0

# What one recovery takes at a time, and how late it may come to that.
LAPSED_MAX = 50
LATE_SECONDS = 1.0

# What others leave is left for so long, and so many are taken at a time.
OFFER_SECONDS = 8.0
OFFERED_MAX = 10

ADD = """
    INSERT INTO messages (
        user_id, conversation_id, id, position, role, text, state, created_at,
        model, hold, meter, price, prompt_tokens, hold_resolved, owner,
        parent_id, character, media, next_id, images, images_meter, lease_until
    )
    VALUES (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20, $21, clock_timestamp() + make_interval(secs => $22)
    )
"""

GROWN = """
    UPDATE conversations SET
        message_count = message_count + $3, last_position = last_position + $3, current_id = $4, updated_at = $5
    WHERE user_id = $1 AND id = $2
"""

# The conversation comes first, as in every change: whoever waits for the message must not hold what this needs
# afterwards.
END = """
    WITH locked AS (
        SELECT turn_taking FROM conversations WHERE user_id = $1 AND id = $2 FOR UPDATE
    ), ended AS (
        UPDATE messages SET
            text = $5, state = $6, model = $7, log = $8::jsonb, input_tokens = $9, output_tokens = $10,
            usage_estimated = $11, cached_tokens = $12, finish_reason = $13, failure_reason = $14, charged = $15,
            attempts = $16::jsonb, cost = $17, next_id = $18,
            lease_until = clock_timestamp() + make_interval(secs => $19 + CASE WHEN $18::uuid IS NULL THEN 0 ELSE
                coalesce((locked.turn_taking->>'pause_seconds')::integer, 0)
            END)
        FROM locked
        WHERE user_id = $1 AND conversation_id = $2 AND messages.id = $3 AND owner = $4 AND state = 'streaming'
        RETURNING position
    )
    UPDATE conversations SET updated_at = greatest(updated_at, $20), token_count = token_count + $21
    FROM ended
    WHERE user_id = $1 AND id = $2
    RETURNING ended.position
"""

THERE = "SELECT EXISTS (SELECT FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $3)"

HELD = """
    SELECT * FROM messages
    WHERE user_id = $1 AND conversation_id = $2 AND NOT hold_resolved AND state <> 'streaming'
"""

WISH_STOPPED = "UPDATE messages SET stop_wished = true WHERE user_id = $1 AND conversation_id = $2 AND id = $3"

# The pause between two answers of a round is over. Where it lasted too long, nobody waits for the next one any more.
FOLLOW = """
    UPDATE messages SET lease_until = least(lease_until, now())
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND next_id = $4 AND lease_until > now()
    RETURNING id
"""

# An answer, and back from it to what the person said last.
ANSWER = f"""
    WITH RECURSIVE line AS (
        SELECT messages.*, 1 AS steps FROM messages
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND role = 'character'
        UNION ALL
        SELECT messages.*, steps + 1 FROM messages JOIN line ON messages.id = line.parent_id
        WHERE messages.user_id = $1 AND messages.conversation_id = $2 AND line.role = 'character' AND steps < 100
    )
    SELECT * FROM ({with_siblings("SELECT * FROM line")}) answer
    ORDER BY steps
"""  # noqa: S608 (our own)

# An answer's end is told when it is known what it cost, and once.
RESOLVED = """
    WITH resolved AS (
        UPDATE messages SET hold_resolved = true, charged = $4, remaining = $7
        WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND NOT hold_resolved
        RETURNING id
    )
    INSERT INTO outbox (topic, payload) SELECT $5, $6 FROM resolved
"""


@dataclass(frozen=True)
class Begun:
    """An answer and what it answers; not `new` when an earlier call with the same request began it.

    The question is the last thing that the person said before it, None where they have said nothing yet.
    """

    question: Message | None
    answer: Message
    new: bool


@dataclass(frozen=True)
class Renewed:
    """The answers that are still this owner's, and those of them that somebody wants stopped."""

    kept: frozenset[UUID]
    wished_stopped: frozenset[UUID]


class Answers:
    """Every answer, each changed by its owner alone. Leases are renewed over the connection `reserved` for that."""

    def __init__(self, pool: Pool, reserved: Pool, owner: UUID) -> None:
        self._pool = pool
        self._reserved = reserved
        self._owner = owner
        self._queues = Queues()

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

    async def begin(
        self, question: Message | None, answer: Message, current: UUID | None, *, follows: bool = False
    ) -> Begun:
        """Keeps both messages, and the branch of the answer as the chosen one; or gives what an earlier call kept.

        Without a question, the answer is one more to a message that is there. One that `follows` is the next of the
        round that its parent is in. ABORTED while another answer of the conversation is streaming or about to follow,
        when its chosen branch does not end with `current` any more, and when the round has ended. UNAVAILABLE where
        somebody else goes on changing the conversation.
        """
        if question is not None and not follows and not question.media:
            begun = await self._begin_at_once(question, answer, current)
            if begun is not None:
                return begun
        added = [answer] if question is None else [question, answer]
        turn = self._queues.turn(answer.user, answer.conversation)
        async with turn, connection(self._pool) as database, database.transaction():
            row = await locked_row(database, answer.user, answer.conversation)
            earlier = await _find(database, answer.user, answer.conversation, answer.id)
            if earlier is not None:
                return earlier
            if row is None:
                raise NotFound("There is no such conversation among yours.", reason="CONVERSATION_NOT_FOUND")
            if await _is_answering(database, answer.user, answer.conversation, answer.id):
                raise in_progress()
            if row["current_id"] != current or not await _is_there(database, added[0]):
                raise Aborted("The conversation went on meanwhile: look at it again.", reason="CONVERSATION_CHANGED")
            if follows:
                await _follow(database, answer)
            added = [replace(one, position=row["last_position"] + place) for place, one in enumerate(added, 1)]
            for one in added:
                await self._add(database, one)
                await show(database, one.user, one.conversation, one.media)
            await database.execute(GROWN, answer.user, answer.conversation, len(added), answer.id, answer.created_at)
            begun = await _find(database, answer.user, answer.conversation, answer.id)
        assert begun is not None  # noqa: S101 (it was kept just now)
        return replace(begun, new=True)

    async def _begin_at_once(self, question: Message, answer: Message, current: UUID | None) -> Begun | None:
        """Both messages; None where something stands in the way."""
        async with connection(self._pool) as database:
            before = await begin_at_once(database, question, answer, current, self._owner, LEASE_SECONDS)
        if before is None:
            return None
        position, siblings = before["last_position"], before["siblings"] + 1
        question = replace(question, position=position + 1, sibling=siblings, siblings=siblings)
        return Begun(question, replace(answer, position=position + 2), new=True)

    async def end(self, answer: Message, at: datetime) -> bool:
        """Keeps an answer as it ended; false when it is no longer this owner's."""
        usage = answer.usage
        async with connection(self._pool) as database:
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
                answer.next,
                LEASE_SECONDS,
                at,
                usage.input_tokens + usage.output_tokens if usage else 0,
            )
        return kept is not None

    async def hold_resolved(self, answer: Message, announced: Envelope) -> None:
        """Keeps that the answer's hold needs nothing more, and what was charged to it, with the event of its end."""
        told = topic(announced.type), announced.SerializeToString()
        async with connection(self._pool) as database:
            paid = answer.charged, *told, answer.remaining
            await database.execute(RESOLVED, answer.user, answer.conversation, answer.id, *paid)

    async def held(self, user: str, conversation_id: UUID) -> list[Message]:
        """The answers of a conversation that have ended and whose hold is not resolved."""
        async with connection(self._pool) as database:
            return [rows.message(row) for row in await database.fetch(HELD, user, conversation_id)]

    async def wish_stopped(self, answer: Message) -> None:
        """Whoever makes the answer is to stop it; they learn it when they renew their lease."""
        async with connection(self._pool) as database:
            await database.execute(WISH_STOPPED, answer.user, answer.conversation, answer.id)

    async def renew(self, running: Collection[UUID], unmirrored: Collection[UUID]) -> Renewed:
        """Prolongs the leases on running answers, and says which of them are `unmirrored` just now.

        UNAVAILABLE within a second, however busy this process is with the database.
        """
        async with at_once(self._reserved) as database:
            kept = await database.fetch(RENEW, self._owner, list(running), LEASE_SECONDS, list(unmirrored))
        wished = frozenset(row["id"] for row in kept if row["stop_wished"])
        return Renewed(frozenset(row["id"] for row in kept), wished)

    async def reach(self) -> None:
        """UNAVAILABLE while the database is away."""
        async with connection(self._pool) as database:
            await database.execute("SELECT")

    async def take_lapsed(self, running: Collection[UUID]) -> list[Message]:
        """Makes this owner the owner of answers that nobody looks after, other than those `running` here.

        They are streaming ones whose owner died, and ended ones whose hold was never resolved. UNAVAILABLE where the
        database took long to answer: owners that live may have waited for it, too, and nothing is taken.
        """
        now = asyncio.get_running_loop().time
        late = now() + LATE_SECONDS
        async with connection(self._pool) as database:
            reached = await database.fetchval(NOW)
            if now() > late:
                raise _slow()
            limits = LEASE_SECONDS, LAPSED_MAX, reached, LATE_SECONDS
            taken = await database.fetch(TAKE_LAPSED, self._owner, list(running), *limits)
        if not taken and now() > late:
            raise _slow()
        return rows.readable(taken, rows.message)

    async def offer(self, answer: Message, handover: Handover) -> bool:
        """Leaves an answer, with its log so far, to whoever takes it; false when it is no longer this owner's."""
        key, said = (answer.user, answer.conversation, answer.id), json.dumps([to_json(entry) for entry in answer.log])
        kept = rows.handed_over(handover), said
        async with connection(self._pool) as database:
            return await database.fetchval(OFFER, *key, self._owner, NOBODY, OFFER_SECONDS, *kept) is not None

    async def is_offered(self, answer: Message) -> bool:
        """Whether nobody has taken it yet."""
        query = "SELECT owner FROM messages WHERE user_id = $1 AND conversation_id = $2 AND id = $3"
        async with connection(self._pool) as database:
            owner: UUID | None = await database.fetchval(query, answer.user, answer.conversation, answer.id)
        return owner == NOBODY

    async def take_back(self, answer: Message) -> bool:
        """Makes this owner the owner of what it left and nobody took; false when somebody did."""
        key = (answer.user, answer.conversation, answer.id)
        async with connection(self._pool) as database:
            return await database.fetchval(TAKE_BACK, *key, self._owner, NOBODY, LEASE_SECONDS) is not None

    async def take_offered(self) -> list[tuple[Message, Handover]]:
        """Makes this owner the owner of a few answers that others leave to whoever takes them."""
        async with connection(self._pool) as database:
            taken = await database.fetch(TAKE_OFFERED, self._owner, NOBODY, LEASE_SECONDS, OFFERED_MAX)
        return rows.readable(taken, lambda row: (rows.message(row), rows.handover(row)))

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
            message.parent,
            message.character,
            list(message.media),
            message.next,
            message.images,
            message.images_meter,
            LEASE_SECONDS,
        )


def _slow() -> Unavailable:
    return Unavailable("The database is slow.", reason="DATABASE_SLOW")


def in_progress() -> Aborted:
    return Aborted(
        "The character is still answering in this conversation: wait for the end, or stop it.",
        reason="ANSWER_IN_PROGRESS",
    )


async def _is_answering(database: PoolConnectionProxy, user: str, conversation_id: UUID, but: UUID) -> bool:
    return bool(await database.fetchval(ANSWERING, user, conversation_id, but))


async def _is_there(database: PoolConnectionProxy, message: Message) -> bool:
    """Whether nobody deleted what the message is to be said after."""
    found = await database.fetchval(THERE, message.user, message.conversation, message.parent)
    return message.parent is None or bool(found)


async def _follow(database: PoolConnectionProxy, answer: Message) -> None:
    if await database.fetchval(FOLLOW, answer.user, answer.conversation, answer.parent, answer.id) is None:
        raise Aborted("The round has ended.", reason="ROUND_ENDED")


async def _find(database: PoolConnectionProxy, user: str, conversation_id: UUID, answer_id: UUID) -> Begun | None:
    found = await database.fetch(ANSWER, user, conversation_id, answer_id)
    if not found:
        return None
    answer, *others = (rows.message(row) for row in found)
    question = others[-1] if others and others[-1].role is Role.USER else None
    return Begun(question, answer, new=False)
