"""Who may take another's answer, and when: not while whoever makes it has only waited as we did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from runtime.context import DEADLINE, REQUEST_ID
from runtime.errors import Unavailable
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc import siblings
from services.chat_svc.answering import handing_over, recovery
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.store import answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Lapse, Replica, Surroundings, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

FAILED, STREAMING = chat_pb2.MESSAGE_STATE_FAILED, chat_pb2.MESSAGE_STATE_STREAMING
WAIT_SECONDS = 60
STATES = "SELECT user_id, state FROM chat.messages WHERE role = 'character'"


@asynccontextmanager
async def _locked(database: str, waited_seconds: float) -> AsyncIterator[asyncpg.Connection]:
    """All messages are locked until somebody has waited for so long after the block; gives who locks them."""
    locking, looking = await asyncpg.connect(database), await asyncpg.connect(database)
    try:
        async with locking.transaction():
            await locking.execute("LOCK TABLE chat.messages IN ACCESS EXCLUSIVE MODE")
            yield locking
            async with asyncio.timeout(WAIT_SECONDS):
                while not await _waits(looking, waited_seconds):
                    await asyncio.sleep(0.01)
    finally:
        await locking.close()
        await looking.close()


async def _waits(looking: asyncpg.Connection, seconds: float) -> bool:
    waiting = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
            AND query_start < clock_timestamp() - make_interval(secs => $1)
    """
    return bool(await looking.fetchval(waiting, seconds))


async def _silent(process: Replica, fake: FakeProvider, user: str = "alice") -> str:
    """A conversation in which an answer is being made, whose model says no more."""
    fake.script(Behaviour(answer=["a"], stall_after=1))
    person = process.person(user)
    conversation = await person.conversation("Named")
    stream = person.sending(conversation)
    assert [(await anext(stream)).number for _ in range(2)] == [1, 2]
    return conversation


async def test_who_waited_for_the_database_takes_nothing_until_others_had_the_time_to_speak(
    first: Replica, second: Replica, fake: FakeProvider, lapse: Lapse, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LATE_SECONDS", 0.2)
    monkeypatch.setattr(recovery, "CALM_SECONDS", 0.0)
    conversation = await _silent(first, fake)
    await first.kill()
    await lapse()
    async with _locked(database, waited_seconds=0.3):
        sweep = asyncio.create_task(second.recovery.sweep())
    with pytest.raises(Unavailable):
        await sweep
    monkeypatch.setattr(answers, "LATE_SECONDS", WAIT_SECONDS)
    states = []
    for _ in range(2):
        states.append((await second.person().messages(conversation))[1].state)
        await second.recovery.sweep()
    assert states == [STREAMING, STREAMING]
    assert (await second.person().messages(conversation))[1].state == FAILED


async def test_a_lease_that_was_renewed_late_runs_from_then_on(
    first: Replica, fake: FakeProvider, database: str
) -> None:
    await _silent(first, fake)
    async with _locked(database, waited_seconds=0.3) as locking:
        renewing = asyncio.create_task(first.parts.generations._answers.renew(first.generations.running, ()))
        waiting = locking
    await renewing
    looking = await asyncpg.connect(database)
    began: datetime = await looking.fetchval("SELECT now()")
    lease_until: datetime = await looking.fetchval("SELECT lease_until FROM chat.messages WHERE state = 'streaming'")
    await looking.close()
    assert waiting.is_closed()
    assert lease_until - began > timedelta(seconds=answers.LEASE_SECONDS - 0.3)


async def test_what_was_left_is_ended_side_by_side_so_that_what_hangs_holds_up_no_other(
    first: Replica,
    second: Replica,
    fake: FakeProvider,
    quota: FakeQuota,
    lapse: Lapse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(siblings, "CALL_SECONDS_MAX", 0.1)
    quota.settles.clear()
    for user in ("unpaid-1", "unpaid-2"):
        await first.person(user).turn(await first.person(user).conversation("Named"))
    conversation = await _silent(first, fake)
    await first.kill()
    await lapse()
    monkeypatch.setattr(siblings, "CALL_SECONDS_MAX", float(WAIT_SECONDS))
    quota.settles.set()
    together, resolve = asyncio.Barrier(3), second.recovery._closing.resolve

    async def when_all_are_there(answer: Message) -> None:
        await together.wait()
        await resolve(answer)

    monkeypatch.setattr(second.recovery._closing, "resolve", when_all_are_there)
    async with asyncio.timeout(WAIT_SECONDS):
        await second.recovery.sweep()
    assert (await second.person().messages(conversation))[1].state == FAILED
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED] * 3


async def test_an_answer_that_cannot_be_read_holds_up_no_other(
    first: Replica, second: Replica, fake: FakeProvider, lapse: Lapse, database: str
) -> None:
    """As a newer version writes it: a fault that this one does not know."""
    for user in ("newer", "victim"):
        await _silent(first, fake, user)
    await first.kill()
    looking = await asyncpg.connect(database)
    attempts = '[{"model": "m", "fault": "of_tomorrow", "usage": null, "first_word_seconds": 0}]'
    await looking.execute("UPDATE chat.messages SET attempts = $1::jsonb WHERE user_id = 'newer'", attempts)
    await lapse()
    await second.recovery.sweep()
    assert {row["user_id"]: row["state"] for row in await looking.fetch(STATES)} == {
        "newer": "streaming",
        "victim": "failed",
    }
    await looking.close()


async def test_what_is_handed_over_together_is_gone_on_with_together(
    around: Surroundings, claude: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "OFFER_SECONDS", float(WAIT_SECONDS))
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", float(WAIT_SECONDS))
    model = replace(claude, capabilities=frozenset({Capability.PREFILL}))
    together = asyncio.Barrier(3)
    async with replica(around, [model]) as staying:
        scene = staying.parts.going_on._scenes.scene

        async def when_all_are_there(*asked: Any, **more: Any) -> Any:
            await together.wait()
            return await scene(*asked, **more)

        monkeypatch.setattr(staying.parts.going_on._scenes, "scene", when_all_are_there)
        async with replica(around, [model]) as ending:
            for _ in range(3):
                await _silent(ending, fake)
            fake.otherwise = Behaviour(answer=["b"])
            messages = [answer.name for answer in _answers(ending)]
        watched = [await staying.person().watched(message) for message in messages]
    assert [(kinds(events)[-1], said(events)) for events in watched] == [("finished", "ab")] * 3


def _answers(process: Replica) -> list[Any]:
    return [generation.answer for generation in process.generations._running.values()]


async def test_what_is_carried_through_has_no_deadline_and_is_the_same_request(first: Replica) -> None:
    async def known() -> tuple[float | None, str]:
        return DEADLINE.get(None), REQUEST_ID.get("")

    DEADLINE.set(1.0)
    REQUEST_ID.set("request-1")
    assert await first.generations.carried(known()) == (None, "request-1")
    assert DEADLINE.get() == 1.0
