"""What becomes of images when the messages go that showed them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import grpc
import pytest

from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.store.media import KeptMedia
from tests.service.chat_svc.pictures import Owner, owner, picture
from tests.service.chat_svc.replica import Person, Replica
from tests.service.chat_svc.told import in_time
from tests.service.chat_svc.trees import Desk, desk

LATER = datetime.now(UTC) + timedelta(days=2)
GONE = (grpc.StatusCode.NOT_FOUND, "MEDIA_NOT_FOUND")


@pytest.fixture
def alices(first: Replica) -> Owner:
    return owner(first)


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


@asynccontextmanager
async def keeping(database: str) -> AsyncIterator[KeptMedia]:
    pool = await asyncpg.create_pool(database, min_size=1, server_settings={"search_path": "chat"})
    try:
        yield KeptMedia(pool)
    finally:
        await pool.close()


def identifier(name: str) -> UUID:
    return UUID(name.rpartition("/")[2])


async def shown(whose: Desk, conversation: str, media: str, after: str = "") -> str:
    """A message that shows one of the media, as turns leave it."""
    message = await whose.say(conversation, after, "Look!")
    async with whose.database.transaction():
        query = "UPDATE chat.media SET conversation_id = coalesce(conversation_id, $1) WHERE id = $2"
        await whose.database.execute(query, identifier(conversation), identifier(media))
        query = "UPDATE chat.messages SET media = ARRAY[$1::uuid] WHERE id = $2"
        await whose.database.execute(query, identifier(media), identifier(message))
    return message


async def there(whose: Owner, name: str) -> bool:
    try:
        await whose.get(name)
    except grpc.aio.AioRpcError as error:
        assert (error.code(), error_info(error).reason) == GONE
        return False
    return True


async def test_with_a_message_go_the_images_that_no_other_message_shows(alices: Owner, hers: Desk) -> None:
    once, twice, later = [(await alices.keep(picture())).name for _ in range(3)]
    name = await hers.person.conversation("At home")
    await shown(hers, name, twice)
    first = await shown(hers, name, once)
    await shown(hers, name, twice, first)
    await shown(hers, name, later, first)
    await hers.delete(first)
    assert [await there(alices, one) for one in (once, twice, later)] == [False, True, False]
    assert await hers.database.fetchval("SELECT count(*) FROM chat.media") == 1


async def test_an_image_of_a_deleted_message_stays_with_the_fork_that_shows_it(
    alices: Owner, hers: Desk, database: str
) -> None:
    kept = (await alices.keep(picture())).name
    name = await hers.person.conversation("At home")
    message = await shown(hers, name, kept)
    fork = await hers.fork(message)
    await hers.delete(message)
    async with keeping(database) as media:
        await media.sweep(LATER)
        assert await there(alices, kept)
        await hers.delete(fork.current_message)
        await media.sweep(LATER)
    assert not await there(alices, kept)


async def test_an_image_that_is_shown_elsewhere_while_its_message_is_deleted_stays(
    alices: Owner, hers: Desk, database: str
) -> None:
    kept = (await alices.keep(picture())).name
    name, other = await hers.person.conversation("At home"), await hers.person.conversation("Elsewhere")
    message, again = await shown(hers, name, kept), await hers.say(other)
    meanwhile = await asyncpg.connect(database)
    async with meanwhile.transaction():
        await meanwhile.execute("UPDATE chat.media SET conversation_id = conversation_id")
        query = "UPDATE chat.messages SET media = ARRAY[$1::uuid] WHERE id = $2"
        await meanwhile.execute(query, identifier(kept), identifier(again))
        deleting = asyncio.create_task(_delete(hers, message))
        await in_time(lambda: _blocked(hers))
    await deleting
    await meanwhile.close()
    assert await there(alices, kept)


async def test_a_sweep_leaves_what_a_fork_shows_whose_origin_is_deleted_meanwhile(
    alices: Owner, hers: Desk, database: str
) -> None:
    kept, decoy = (await alices.keep(picture())).name, (await alices.keep(picture())).name
    origin, elsewhere = await hers.person.conversation("Origin"), await hers.person.conversation("Elsewhere")
    fork = await hers.fork(await shown(hers, origin, kept))
    await shown(hers, elsewhere, decoy)
    await hers.database.execute("UPDATE chat.media SET conversation_id = NULL WHERE id = $1", identifier(decoy))
    async with keeping(database) as media:
        meanwhile = await asyncpg.connect(database)
        async with meanwhile.transaction():
            await meanwhile.execute("SELECT FROM chat.media WHERE id = $1 FOR UPDATE", identifier(decoy))
            sweep = asyncio.create_task(media.sweep(LATER))
            # A sweep that has looked around already waits for the decoy; one that waits for nobody is over.
            await in_time(lambda: _blocked(hers, sweep))
            await hers.ask("DeleteConversation", chat_pb2.DeleteConversationRequest(name=origin))
        await sweep
        await meanwhile.close()
        await media.sweep(LATER)
    query = "SELECT id, conversation_id FROM chat.media"
    assert {tuple(row) for row in await hers.database.fetch(query)} == {
        (identifier(kept), identifier(fork.name)),
        (identifier(decoy), identifier(elsewhere)),
    }


async def _delete(whose: Desk, message: str) -> None:
    await whose.delete(message)


async def _blocked(whose: Desk, work: asyncio.Task[None] | None = None) -> bool:
    """Whether somebody waits for a row of this database, or the work is done."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return (work is not None and work.done()) or await whose.database.fetchval(waiting) > 0
