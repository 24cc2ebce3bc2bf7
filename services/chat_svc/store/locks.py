"""What every change of a conversation begins with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runtime.errors import NotFound, Unavailable
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.store import rows
from services.chat_svc.store.beginning import ANSWERING

# A change takes milliseconds. Whoever waits longer for one is told so, and keeps no connection from others.
WAIT_SECONDS = 2.0
WAITING = "SELECT set_config('lock_timeout', $1, true)"
LOCKED = "SELECT * FROM conversations WHERE user_id = $1 AND id = $2 FOR UPDATE"

# No message has this id.
NONE = UUID(int=0)

# A retry comes within minutes.
DELETED_FOR = "interval '1 day'"
FORGET = f"DELETE FROM deletions WHERE user_id = $1 AND deleted_at < now() - {DELETED_FOR}"  # noqa: S608
REMEMBER = """
    INSERT INTO deletions (user_id, id) VALUES ($1, $2)
    ON CONFLICT (user_id, id) DO UPDATE SET deleted_at = now()
"""
IS_DELETED = "SELECT EXISTS (SELECT FROM deletions WHERE user_id = $1 AND id = $2)"


async def locked(database: PoolConnectionProxy, user: str, conversation_id: UUID) -> Conversation | None:
    """The conversation, which nobody else changes until the transaction ends; None when the user has no such.

    UNAVAILABLE where somebody else goes on changing it.
    """
    row = await locked_row(database, user, conversation_id)
    return None if row is None else rows.conversation(row)


async def locked_row(database: PoolConnectionProxy, user: str, conversation_id: UUID) -> asyncpg.Record | None:
    """The same, as it is kept."""
    await database.fetchval(WAITING, f"{round(WAIT_SECONDS * 1000)}ms")
    try:
        return await database.fetchrow(LOCKED, user, conversation_id)
    except asyncpg.LockNotAvailableError as error:
        raise _busy() from error


class Queues:
    """Of those in this process who begin an answer in a conversation, one at a time does so; the others wait here."""

    def __init__(self) -> None:
        self._queues: WeakValueDictionary[tuple[str, UUID], asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, user: str, conversation_id: UUID) -> AsyncIterator[None]:
        """It is the caller's turn while the block runs; UNAVAILABLE where it does not come."""
        turn = self._queues.setdefault((user, conversation_id), asyncio.Lock())
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await turn.acquire()
        except TimeoutError as error:
            raise _busy() from error
        try:
            yield
        finally:
            turn.release()


async def is_answering(database: PoolConnectionProxy, user: str, conversation_id: UUID) -> bool:
    """Whether an answer is being made, or about to follow in a round."""
    return bool(await database.fetchval(ANSWERING, user, conversation_id, NONE))


async def remember_deleted(database: PoolConnectionProxy, user: str, identifier: UUID) -> None:
    """Keeps for a while that something is deleted, so that deleting it twice is deleting it once."""
    await database.execute(FORGET, user)
    await database.execute(REMEMBER, user, identifier)


async def is_deleted(database: PoolConnectionProxy, user: str, identifier: UUID) -> bool:
    return bool(await database.fetchval(IS_DELETED, user, identifier))


def no_conversation() -> NotFound:
    return NotFound("There is no such conversation among yours.", reason="CONVERSATION_NOT_FOUND")


def no_message() -> NotFound:
    return NotFound("There is no such message among yours.", reason="MESSAGE_NOT_FOUND")


def _busy() -> Unavailable:
    return Unavailable(
        "Something else changes this conversation just now: try again in a moment.", reason="CONVERSATION_BUSY"
    )


def unpaid() -> Unavailable:
    return Unavailable("What its last answer costs cannot be settled just now.", reason="SETTLEMENT_PENDING")
