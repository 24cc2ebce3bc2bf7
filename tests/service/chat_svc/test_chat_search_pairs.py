"""Finding what was said in scripts that have no spaces between words."""

from __future__ import annotations

import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from runtime.postgres import migrate
from scenemesh.chat.v1 import chat_pb2
from services.chat_svc.domain.script import in_pairs
from services.chat_svc.store import MIGRATIONS, SCHEMA
from services.chat_svc.store.words import tsquery
from tests.service.chat_svc.replica import Person
from tests.service.chat_svc.trees import Desk, desk

SUSHI, TOKYO, BEIJING = "今日は寿司を食べました。", "東京タワーと東京駅 in Tokyo", "我明天去北京、不去东京。"
SEOUL, BANGKOK, ENGLISH = "학교에서 한국어를 배웠다", "ฉันชอบอาหารไทยมาก", "I had 1 sushi, quickly"
ALL = (SUSHI, TOKYO, BEIJING, SEOUL, BANGKOK, ENGLISH)

QUERIES = {
    "寿司": {SUSHI},
    "司": {SUSHI},
    "食べました": {SUSHI},
    "寿司 食べ": {SUSHI},
    "寿司 東京": set(),
    "寿司 or 東京": {SUSHI, TOKYO},
    "寿食": set(),
    "タワー": {TOKYO},
    "駅in": {TOKYO},
    "京": {TOKYO, BEIJING},
    "京 -北京": {TOKYO},
    "东京": {BEIJING},
    '"北京、不去"': {BEIJING},
    "한국": {SEOUL},
    "국어": {SEOUL},
    "ไทย": {BANGKOK},
    "sush": {ENGLISH},
}


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def matches(whose: Desk, query: str) -> list[Any]:
    found = await whose.ask("SearchMessages", chat_pb2.SearchMessagesRequest(query=query))
    return list(found.matches)


async def test_words_are_found_inside_of_runs_without_spaces(hers: Desk) -> None:
    name = await hers.person.conversation("Words")
    for text in ALL:
        await hers.say(name, text=text)
    assert {query: {one.message.text for one in await matches(hers, query)} for query in QUERIES} == QUERIES


async def test_the_best_match_in_a_script_without_spaces_comes_first_and_shows_where(hers: Desk) -> None:
    name = await hers.person.conversation("Words")
    for text in ("寿司が好き", "寿司と寿司と寿司", "寿と司", "何か"):
        await hers.say(name, text=text)
    first, second = await matches(hers, "寿司")
    assert [one.message.text for one in (first, second)] == ["寿司と寿司と寿司", "寿司が好き"]
    assert [first.snippet[one.start : one.end] for one in first.highlights] == ["寿司"] * 3


async def test_titles_are_found_by_parts_of_their_runs(hers: Desk) -> None:
    name = await hers.person.conversation("東京の寿司屋")
    await hers.person.conversation("北京")
    listed = await hers.ask("ListConversations", chat_pb2.ListConversationsRequest(query="寿司"))
    assert [one.name for one in listed.conversations] == [name]


async def test_an_edited_text_is_found_by_its_new_runs(hers: Desk) -> None:
    message = await hers.say(await hers.person.conversation("Words"), text="寿司")
    await hers.update(message, text="天ぷら")
    assert [len(await matches(hers, query)) for query in ("寿司", "ぷら")] == [0, 1]


async def test_every_part_of_every_run_is_found(hers: Desk) -> None:
    await hers.database.execute("SET search_path TO chat")
    chance = random.Random(8)
    query = f"SELECT words_of($1) @@ {tsquery('$2::text', 'false')}"
    for _ in range(500):
        run = "".join(chance.choices("寿司東京ター한국𠮷ไก", k=chance.randint(1, 9)))
        start = chance.randrange(len(run))
        part = run[start : chance.randint(start + 1, len(run))]
        text = f"{chance.choice(('', 'a ', 'a', '、'))}{run}{chance.choice(('', ' b', 'b', '。'))}"
        for wanted in (part, f'"{part}"', f"{part} or nothing"):
            assert await hers.database.fetchval(query, text, in_pairs(wanted)), (text, wanted)


async def test_what_was_said_before_is_found_by_parts_of_its_runs(database: str, tmp_path: Path) -> None:
    for revision in MIGRATIONS.glob("00*.py"):
        if revision.name < "0012":
            shutil.copy(revision, tmp_path)
    await migrate(database, schema=SCHEMA, migrations=tmp_path)
    connection = await asyncpg.connect(database, server_settings={"search_path": SCHEMA})
    await connection.execute(
        "INSERT INTO conversations (user_id, id, character, display_name, created_at, updated_at) "
        "VALUES ('alice', $1, 'characters/x', '', now(), now())",
        conversation := uuid4(),
    )
    await connection.execute(
        "INSERT INTO messages (user_id, conversation_id, id, position, role, text, state, created_at) "
        "SELECT 'alice', $1, gen_random_uuid(), n, 'user', CASE n % 2 WHEN 0 THEN $2 ELSE $3 END, 'complete', now() "
        "FROM generate_series(1, 2500) n",
        conversation,
        SUSHI,
        ENGLISH,
    )
    await migrate(database, schema=SCHEMA, migrations=MIGRATIONS)
    query = f"SELECT count(*) FROM messages WHERE words @@ {tsquery('$1::text', 'false')}"
    found = [await connection.fetchval(query, in_pairs(one)) for one in ("寿司", "sushi")]
    await connection.close()
    assert found == [1_250, 1_250]
