"""As many first messages as a conversation may have, all of them siblings."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from scenemesh.chat.v1 import archive_pb2, archive_pb2_grpc
from services.chat_svc.store.messages import ALL_PAGE, ONE, SEVERAL
from tests.service.chat_svc.replica import Person, Replica
from tests.service.chat_svc.trees import Desk, desk

MESSAGES = 10_000

SAY_ALL = """
    INSERT INTO chat.messages (user_id, conversation_id, id, position, role, text, state, created_at)
    SELECT 'alice', $1, gen_random_uuid(), number, 'user', 'Beginning ' || number, 'complete', now()
    FROM generate_series(1, $2::int) number
"""

# Rows of messages that this transaction has looked at, however it found them.
LOOKED_AT = """
    SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
    WHERE schemaname = 'chat' AND relname = 'messages'
"""


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def grown(whose: Desk, messages: int = MESSAGES) -> str:
    name = await whose.person.conversation("Beginnings")
    await whose.database.execute(SAY_ALL, UUID(name.split("/")[1]), messages)
    return name


async def looked_at(database: asyncpg.Connection[asyncpg.Record], query: str, *arguments: object) -> tuple[int, int]:
    """How many messages a query gives, and how many rows of them were looked at for it."""
    async with database.transaction():
        await database.execute("SET LOCAL search_path TO chat")
        before = await database.fetchval(LOOKED_AT)
        found = await database.fetch(query, *arguments)
        return len(found), await database.fetchval(LOOKED_AT) - before


async def test_ten_thousand_siblings_are_listed_and_exported(hers: Desk, first: Replica) -> None:
    name = await grown(hers)
    listed = await hers.pages(name, all_branches=True, size=100)
    export = archive_pb2.ExportConversationRequest(name=name)
    stub = archive_pb2_grpc.ArchiveServiceStub(first.dial("edge"))
    told = json.loads((await stub.ExportConversation(export, metadata=hers.person.metadata)).data)
    assert [(one.text, one.sibling_number, one.sibling_count) for one in listed] == [
        (f"Beginning {number}", number, MESSAGES) for number in range(1, MESSAGES + 1)
    ]
    assert [one["text"] for one in told["messages"]] == [one.text for one in listed]
    assert (await hers.get(listed[4_999].name)).sibling_number == 5_000


async def test_siblings_are_counted_once_for_all_of_a_page(hers: Desk) -> None:
    conversation = UUID((await grown(hers, 1_000)).split("/")[1])
    query = "SELECT id FROM chat.messages WHERE conversation_id = $1 AND position > 500 ORDER BY position LIMIT 100"
    some = [row["id"] for row in await hers.database.fetch(query, conversation)]
    for statement, arguments, count in (
        (ALL_PAGE, (500, 100, False), 100),
        (SEVERAL, (some,), 100),
        (ONE, (some[0],), 1),
    ):
        found, rows = await looked_at(hers.database, statement, "alice", conversation, *arguments)
        assert found == count
        assert rows <= 4_000


async def test_pages_tell_each_family_apart(hers: Desk) -> None:
    name = await hers.person.conversation("Two families")
    one, other = await hers.say(name, text="one"), await hers.say(name, text="other")
    for parent in (one, other, one):
        await hers.say(name, parent, "Said", "character")
    alone = await hers.say(name, other, "And said", "character")
    await hers.say(name, alone, "Alone")
    listed = await hers.pages(name, all_branches=True)
    assert [(message.sibling_number, message.sibling_count) for message in listed] == [
        (1, 2),
        (2, 2),
        (1, 2),
        (1, 2),
        (2, 2),
        (2, 2),
        (1, 1),
    ]
