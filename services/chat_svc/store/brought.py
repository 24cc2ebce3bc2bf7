"""Media that come with conversations: those that their person keeps already, and those for which there is room."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from asyncpg.pool import PoolConnectionProxy

from services.chat_svc.domain.media import UNUSED_FOR, Media
from services.chat_svc.store.media import ADD, LOCK, room
from services.chat_svc.store.telling import Telling

# Until the transaction ends, nobody sweeps them.
KEPT = "SELECT id FROM media WHERE user_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR UPDATE"

# What another conversation shows already stays with that one.
SHOW = """
    UPDATE media SET conversation_id = coalesce(media.conversation_id, shown.conversation_id)
    FROM unnest($2::uuid[], $3::uuid[]) AS shown (media_id, conversation_id)
    WHERE user_id = $1 AND id = shown.media_id
"""


async def kept(database: PoolConnectionProxy, user: str, tellings: Sequence[Telling]) -> set[UUID]:
    """The ids of those that the user keeps already, which stay until the transaction ends."""
    shown = {media for one in tellings for media in one.shown}
    if not shown:
        return set()
    if any(one.media for one in tellings):
        await database.execute(LOCK, user)
    return {row["id"] for row in await database.fetch(KEPT, user, list(shown))}


async def fitting(
    database: PoolConnectionProxy, user: str, tellings: Sequence[Telling], there: Collection[UUID]
) -> list[Telling]:
    """The conversations for whose media, beside those that are there, the user has room."""
    if not any(one.media for one in tellings):
        return list(tellings)
    found, taken, left = list[Telling](), set(there), await room(database, user)
    for one in tellings:
        new = [media for media in one.media if media.id not in taken]
        if (after := left.with_(new)) is not None:
            found.append(one)
            left = after
            taken |= {media.id for media in new}
    return found


async def keep(
    database: PoolConnectionProxy, user: str, tellings: Iterable[Telling], there: Collection[UUID]
) -> set[UUID]:
    """Keeps their media beside those that are there and has the conversations show them; gives the ids of all."""
    told = list(tellings)
    new = {media.id: media for one in told for media in one.media if media.id not in there}
    if new:
        await database.executemany(ADD, [_row(one) for one in new.values()])
    all_kept = {*there, *new}
    pairs = [(media, one.conversation.id) for one in told for media in one.shown & all_kept]
    if pairs:
        await database.execute(SHOW, user, [media for media, _ in pairs], [conversation for _, conversation in pairs])
    return all_kept


def _row(media: Media) -> tuple[object, ...]:
    return (
        media.user,
        media.id,
        media.content_type,
        media.content,
        hashlib.sha256(media.content).digest(),
        media.width,
        media.height,
        media.created_at,
        media.created_at + UNUSED_FOR,
    )
