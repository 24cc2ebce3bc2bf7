"""Images and recordings, each seen by its own user alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from runtime.errors import AlreadyExists, FailedPrecondition, NotFound
from runtime.postgres import Pool, connection
from services.chat_svc.domain.media import MEDIA_BYTES_MAX, MEDIA_MAX, UNUSED_FOR, Media

# Two calls of one user at once count one after the other.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('media ' || $1, 0))"

ADD = """
    INSERT INTO media (user_id, id, content_type, content, source_sha256, width, height, created_at, kept_until)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

# As of `SHOW`, the messages of a conversation show them; what another one shows already stays with that one.
SHOW = """
    UPDATE media SET conversation_id = coalesce(conversation_id, $3) WHERE user_id = $1 AND id = ANY($2::uuid[])
"""

NO_MESSAGE = """
    NOT EXISTS (
        SELECT FROM messages
        WHERE messages.user_id = media.user_id AND messages.media <> '{}' AND messages.media @> ARRAY[media.id]
    )
"""

# What no conversation shows and whose time is over, a few at a time. Whoever shows one just now has its row.
DUE = """
    SELECT user_id, id FROM media WHERE conversation_id IS NULL AND kept_until < $1
    ORDER BY kept_until
    LIMIT $2
    FOR UPDATE SKIP LOCKED
"""
DUE_MAX = 500

# A conversation that showed them is gone, and another one, such as a fork of it, shows them still: one that nobody
# changes or deletes just now.
MOVE = """
    UPDATE media SET conversation_id = (
        SELECT conversation.id FROM messages message
        JOIN conversations conversation
            ON (conversation.user_id, conversation.id) = (message.user_id, message.conversation_id)
        WHERE message.user_id = media.user_id AND message.media <> '{}' AND message.media @> ARRAY[media.id]
        LIMIT 1
        FOR KEY SHARE OF conversation SKIP LOCKED
    )
    FROM unnest($1::text[], $2::uuid[]) AS due (user_id, id)
    WHERE (media.user_id, media.id) = (due.user_id, due.id)
"""

# Looked at anew: whatever came to show one since is a message by now.
SWEEP = f"""
    DELETE FROM media USING unnest($1::text[], $2::uuid[]) AS due (user_id, id)
    WHERE (media.user_id, media.id) = (due.user_id, due.id) AND conversation_id IS NULL AND {NO_MESSAGE}
"""  # noqa: S608 (our own)

# Those of a conversation whose messages show them no more.
LET_GO = """
    UPDATE media SET conversation_id = NULL
    WHERE user_id = $1 AND conversation_id = $2 AND id = ANY($3::uuid[]) AND NOT EXISTS (
        SELECT FROM messages
        WHERE messages.user_id = media.user_id AND messages.conversation_id = media.conversation_id
            AND messages.media <> '{}' AND messages.media @> ARRAY[media.id]
    )
"""

# A fork, or whoever was shown it again, keeps it.
DELETE_UNUSED = f"""
    DELETE FROM media
    WHERE user_id = $1 AND id = ANY($2::uuid[]) AND conversation_id IS NULL AND {NO_MESSAGE}
"""  # noqa: S608 (our own)

SIZES = """
    SELECT id, content_type, octet_length(content) AS size_bytes FROM media
    WHERE user_id = $1 AND id = ANY($2::uuid[])
"""


@dataclass(frozen=True)
class Size:
    """What media are and how large, without their bytes."""

    id: UUID
    content_type: str
    size_bytes: int


@dataclass(frozen=True)
class Room:
    """What a person keeps already."""

    count: int
    size_bytes: int

    def with_(self, media: Sequence[Media]) -> Room | None:
        """The room with these media; None where that is more than a person may have."""
        size_bytes = self.size_bytes + sum(len(one.content) for one in media)
        count = self.count + len(media)
        return Room(count, size_bytes) if count <= MEDIA_MAX and size_bytes <= MEDIA_BYTES_MAX else None


class KeptMedia:
    """What people keep for their messages."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find_made_of(self, user: str, media_id: UUID, source: bytes) -> Media | None:
        """What an earlier call kept under this id; ALREADY_EXISTS when it was made of other bytes."""
        async with connection(self._pool) as database:
            return await _made_of(database, user, media_id, source)

    async def add(self, media: Media, source: bytes) -> Media:
        """Keeps it, or gives what a twin of this call kept. FAILED_PRECONDITION when the user has too much already."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute(LOCK, media.user)
            earlier = await _made_of(database, media.user, media.id, source)
            if earlier is not None:
                return earlier
            if (await room(database, media.user)).with_([media]) is None:
                raise too_much()
            await database.execute(
                ADD,
                media.user,
                media.id,
                media.content_type,
                media.content,
                hashlib.sha256(source).digest(),
                media.width,
                media.height,
                media.created_at,
                media.created_at + UNUSED_FOR,
            )
        return media

    async def get(self, user: str, media_id: UUID) -> Media:
        """One of the user's; NOT_FOUND when they have no such."""
        found = await self.several(user, [media_id])
        if not found:
            raise missing()
        return found[0]

    async def several(self, user: str, ids: Sequence[UUID]) -> list[Media]:
        """Those of the ids that the user has, in the order of the ids."""
        query = "SELECT * FROM media WHERE user_id = $1 AND id = ANY($2::uuid[])"
        async with connection(self._pool) as database:
            found = {row["id"]: _media(row) for row in await database.fetch(query, user, list(ids))}
        return [found[one] for one in ids if one in found]

    async def sizes(self, user: str, ids: Sequence[UUID]) -> dict[UUID, Size]:
        """Those of the ids that the user has."""
        async with connection(self._pool) as database:
            found = await database.fetch(SIZES, user, list(ids))
        return {row["id"]: Size(row["id"], row["content_type"], row["size_bytes"]) for row in found}

    async def sweep(self, now: datetime) -> None:
        """Deletes what no conversation shows, once its time is over."""
        async with connection(self._pool) as database:
            while await _swept(database, now) == DUE_MAX:
                pass


async def show(database: PoolConnectionProxy, user: str, conversation_id: UUID, ids: Sequence[UUID]) -> None:
    """A message of the conversation shows them from now on; NOT_FOUND when one is gone. Belongs to its transaction."""
    if ids and await database.execute(SHOW, user, list(ids), conversation_id) != f"UPDATE {len(ids)}":
        raise missing()


async def let_go(database: PoolConnectionProxy, user: str, conversation_id: UUID, ids: Sequence[UUID]) -> None:
    """Messages of the conversation that showed them are gone: so are those that no message shows. Belongs to their
    transaction, which has the conversation's lock."""
    if ids:
        # This waits for whoever shows one elsewhere just now; what is deleted is looked at after that.
        await database.execute(LET_GO, user, conversation_id, list(ids))
        await delete_unused(database, user, ids)


async def delete_unused(database: PoolConnectionProxy, user: str, ids: Sequence[UUID]) -> None:
    """Deletes those that no message shows."""
    await database.execute(DELETE_UNUSED, user, list(ids))


async def _swept(database: PoolConnectionProxy, now: datetime) -> int:
    """How many that were due are deleted, or belong to a conversation again."""
    async with database.transaction():
        due = await database.fetch(DUE, now, DUE_MAX)
        those = [row["user_id"] for row in due], [row["id"] for row in due]
        await database.execute(MOVE, *those)
        await database.execute(SWEEP, *those)
        query = """
            SELECT count(*) FROM media JOIN unnest($1::text[], $2::uuid[]) AS due (user_id, id) USING (user_id, id)
            WHERE conversation_id IS NULL
        """
        return len(due) - int(await database.fetchval(query, *those))


def missing() -> NotFound:
    return NotFound("There is no such image or recording among yours.", reason="MEDIA_NOT_FOUND")


async def _made_of(database: PoolConnectionProxy, user: str, media_id: UUID, source: bytes) -> Media | None:
    row = await database.fetchrow("SELECT * FROM media WHERE user_id = $1 AND id = $2", user, media_id)
    if row is None:
        return None
    if row["source_sha256"] != hashlib.sha256(source).digest():
        raise AlreadyExists("This request_id was used for other bytes.", reason="REQUEST_ID_REUSED")
    return _media(row)


async def room(database: PoolConnectionProxy, user: str) -> Room:
    """What the user keeps."""
    query = "SELECT count(*), coalesce(sum(octet_length(content)), 0) FROM media WHERE user_id = $1"
    row = await database.fetchrow(query, user)
    assert row is not None  # noqa: S101 (an aggregate has one row)
    return Room(row[0], row[1])


def too_much() -> FailedPrecondition:
    return FailedPrecondition(
        f"You keep {MEDIA_MAX:,} images and recordings, or {MEDIA_BYTES_MAX // 2**20} MiB, already: delete "
        "conversations that show them first.",
        reason="TOO_MUCH_MEDIA",
        metadata={"count_max": str(MEDIA_MAX), "bytes_max": str(MEDIA_BYTES_MAX)},
    )


def _media(row: asyncpg.Record) -> Media:
    return Media(
        row["user_id"],
        row["id"],
        row["content_type"],
        row["content"],
        row["width"],
        row["height"],
        row["created_at"],
    )
