"""What every change of a conversation begins with."""

from __future__ import annotations

from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from runtime.errors import NotFound, Unavailable
from services.chat_svc.domain.conversation import Conversation
from services.chat_svc.store import rows
from services.chat_svc.store.beginning import ANSWERING

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
    """The conversation, which nobody else changes until the transaction ends; None when the user has no such."""
    row = await database.fetchrow(LOCKED, user, conversation_id)
    return None if row is None else rows.conversation(row)


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


def unpaid() -> Unavailable:
    return Unavailable("What its last answer costs cannot be settled just now.", reason="SETTLEMENT_PENDING")
