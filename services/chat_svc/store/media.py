"""Images and recordings, each seen by its own user alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
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

# A conversation that showed them is gone, and another one, such as a fork of it, shows them still.
MOVE = """
    UPDATE media SET conversation_id = message.conversation_id
    FROM messages message
    WHERE media.conversation_id IS NULL AND media.kept_until < $1
        AND message.user_id = media.user_id AND message.media <> '{}' AND message.media @> ARRAY[media.id]
"""

SWEEP = "DELETE FROM media WHERE conversation_id IS NULL AND kept_until < $1"


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
            await _check_room(database, media)
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

    async def sweep(self, now: datetime) -> None:
        """Deletes what no conversation shows, once its time is over."""
        async with connection(self._pool) as database:
            await database.execute(MOVE, now)
            await database.execute(SWEEP, now)


async def show(database: PoolConnectionProxy, user: str, conversation_id: UUID, ids: Sequence[UUID]) -> None:
    """A message of the conversation shows them from now on; NOT_FOUND when one is gone. Belongs to its transaction."""
    if ids and await database.execute(SHOW, user, list(ids), conversation_id) != f"UPDATE {len(ids)}":
        raise missing()


def missing() -> NotFound:
    return NotFound("There is no such image or recording among yours.", reason="MEDIA_NOT_FOUND")


async def _made_of(database: PoolConnectionProxy, user: str, media_id: UUID, source: bytes) -> Media | None:
    row = await database.fetchrow("SELECT * FROM media WHERE user_id = $1 AND id = $2", user, media_id)
    if row is None:
        return None
    if row["source_sha256"] != hashlib.sha256(source).digest():
        raise AlreadyExists("This request_id was used for other bytes.", reason="REQUEST_ID_REUSED")
    return _media(row)


async def _check_room(database: PoolConnectionProxy, media: Media) -> None:
    query = "SELECT count(*), coalesce(sum(octet_length(content)), 0) FROM media WHERE user_id = $1"
    row = await database.fetchrow(query, media.user)
    assert row is not None  # noqa: S101 (an aggregate has one row)
    if row[0] >= MEDIA_MAX or row[1] + len(media.content) > MEDIA_BYTES_MAX:
        raise FailedPrecondition(
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
