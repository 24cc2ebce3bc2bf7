"""Follow-ups follow from what was said, also where that is edited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from scenemesh.chat.v1 import chat_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Person
from tests.service.chat_svc.told import in_time, texts
from tests.service.chat_svc.trees import Desk, desk


@pytest.fixture
async def hers(alice: Person, database: str) -> AsyncIterator[Desk]:
    async with desk(alice, "alice", database) as one:
        yield one


async def follow_ups(whose: Desk, message: str) -> list[str]:
    found = await whose.ask("ListFollowUps", chat_pb2.ListFollowUpsRequest(parent=message))
    return list(found.follow_ups)


def making(fake: FakeProvider, *each: str) -> None:
    fake.script_asides(*(Behaviour(answer=[one]) for one in each))


async def test_follow_ups_are_made_anew_where_something_before_them_is_edited(hers: Desk, fake: FakeProvider) -> None:
    name = await hers.person.conversation("Baker Street")
    question, answer, _, later = await hers.line(name, "Who?", "Holmes.", "And he?", "Watson.")
    making(fake, "One?", "Two?", "Three?", "Four?")
    assert [await follow_ups(hers, one) for one in (answer, later, answer)] == [["One?"], ["Two?"], ["One?"]]
    await hers.update(question, text="Which of you?")
    assert [await follow_ups(hers, one) for one in (answer, later, answer)] == [["Three?"], ["Four?"], ["Three?"]]
    assert "Which of you?" in texts(fake.asides[2])[0]


async def test_an_edit_leaves_the_follow_ups_before_it(hers: Desk, fake: FakeProvider) -> None:
    name = await hers.person.conversation("Baker Street")
    _, answer, question, _ = await hers.line(name, "Who?", "Holmes.", "And he?", "Watson.")
    making(fake, "One?", "Two?")
    before = await follow_ups(hers, answer)
    await hers.update(question, text="And she?")
    assert (before, await follow_ups(hers, answer)) == (["One?"], ["One?"])


async def test_follow_ups_that_are_being_made_follow_from_the_text_as_it_is_then(
    hers: Desk, fake: FakeProvider, database: str
) -> None:
    name = await hers.person.conversation("Baker Street")
    question, answer = await hers.line(name, "Who?", "Holmes.")
    making(fake, "Old?", "New?")
    other = await asyncpg.connect(database)
    async with other.transaction():
        await other.execute("SELECT FROM chat.conversations FOR UPDATE")
        asking = asyncio.create_task(follow_ups(hers, answer))
        await in_time(lambda: _waits_or_done(hers, asking))
        identifier = UUID(question.rpartition("/")[2])
        await other.execute("UPDATE chat.messages SET text = 'Which of you?' WHERE id = $1", identifier)
    await other.close()
    assert (await asking, await follow_ups(hers, answer)) == (["New?"], ["New?"])
    assert [["Which of you?" in texts(one)[0]] for one in fake.asides] == [[False], [True]]


async def _waits_or_done(whose: Desk, work: asyncio.Task[list[str]]) -> bool:
    """Whether somebody waits for a row of this database, or the work is done."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return work.done() or await whose.database.fetchval(waiting) > 0
