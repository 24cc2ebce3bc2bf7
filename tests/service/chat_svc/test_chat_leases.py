"""Who may take another's answer, and when: not while whoever makes it has only waited as we did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from runtime.context import DEADLINE, REQUEST_ID
from runtime.errors import Unavailable
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc import siblings
from services.chat_svc.answering import handing_over, recovery
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.ending import Broken, ended
from services.chat_svc.domain.fault import FailureReason
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.domain.routing import Choice
from services.chat_svc.store import Answers, answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Lapse, Replica, Surroundings, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

FAILED, STREAMING = chat_pb2.MESSAGE_STATE_FAILED, chat_pb2.MESSAGE_STATE_STREAMING
WAIT_SECONDS = 60
HANDOVER = Handover(1, 1_000, 4_000, frozenset(), Choice(), seconds=60.0)
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


@pytest.fixture
def lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lease lapses by itself, and no statement comes too late, however slow the machine is."""
    for limit in ("LEASE_SECONDS", "OFFER_SECONDS", "LATE_SECONDS"):
        monkeypatch.setattr(answers, limit, WAIT_SECONDS)


async def _left(process: Replica, fake: FakeProvider) -> tuple[Answers, Answers, Message]:
    """The store of a process that died in the middle of an answer, another one's, and the answer."""
    await _silent(process, fake)
    (answer,), ours = _answers(process), process.generations._answers
    await process.kill()
    return ours, Answers(ours._pool, ours._reserved, uuid4()), answer


@pytest.mark.usefixtures("lasting")
async def test_an_answer_is_one_processs_at_a_time_however_it_changes_hands(first: Replica, fake: FakeProvider) -> None:
    ours, theirs, answer = await _left(first, fake)
    assert not await theirs.offer(answer, HANDOVER)
    assert (await theirs.renew([answer.id], ())).kept == frozenset()
    assert (await ours.renew([answer.id], ())).kept == {answer.id}
    assert await theirs.take_offered() == []
    assert await ours.offer(answer, HANDOVER)
    assert (await ours.renew([answer.id], ())).kept == frozenset()
    assert [(taken.id, told) for taken, told in await theirs.take_offered()] == [(answer.id, HANDOVER)]
    assert not await ours.take_back(answer)
    assert not await ours.end(answer, answer.created_at)
    assert (await theirs.renew([answer.id], ())).kept == {answer.id}
    assert await theirs.end(ended(answer, [], Broken(FailureReason.INTERRUPTED)), answer.created_at)
    assert (await theirs.renew([answer.id], ())).kept == frozenset()


@pytest.mark.usefixtures("lasting")
async def test_who_takes_what_has_lapsed_or_takes_back_what_they_left_has_it_for_a_whole_lease(
    first: Replica, fake: FakeProvider, lapse: Lapse
) -> None:
    ours, theirs, answer = await _left(first, fake)
    assert await theirs.take_lapsed(()) == []
    await lapse()
    assert await theirs.take_lapsed([answer.id]) == []
    assert [taken.id for taken in await theirs.take_lapsed(())] == [answer.id]
    assert await ours.take_lapsed(()) == []
    assert await theirs.offer(answer, HANDOVER)
    await lapse()
    assert await ours.take_offered() == []
    assert await theirs.take_back(answer)
    assert await ours.take_lapsed(()) == []


async def test_an_answer_that_is_made_here_is_not_taken_for_one_that_was_left(
    first: Replica, fake: FakeProvider, lapse: Lapse
) -> None:
    conversation = await _silent(first, fake)
    await lapse()
    await first.recovery.sweep()
    assert (await first.person().messages(conversation))[1].state == STREAMING


async def test_what_has_ended_and_is_paid_for_is_taken_by_nobody(first: Replica, lapse: Lapse) -> None:
    alice = first.person()
    assert kinds(await alice.turn(await alice.conversation("Named")))[-1] == "finished"
    await lapse()
    assert await first.generations._answers.take_lapsed(()) == []


@pytest.mark.usefixtures("lasting")
async def test_who_waits_for_an_answer_comes_before_who_waits_for_a_bill(
    first: Replica, fake: FakeProvider, lapse: Lapse, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LAPSED_MAX", 1)
    await first.person("unpaid").turn(await first.person("unpaid").conversation("Named"))
    _, theirs, answer = await _left(first, fake)
    await lapse()
    looking = await asyncpg.connect(database)
    unpaid = "hold_resolved = false, lease_until = now() - interval '1 minute'"
    await looking.execute(f"UPDATE chat.messages SET {unpaid} WHERE user_id = 'unpaid' AND role = 'character'")
    await looking.close()
    taken = [(await theirs.take_lapsed([answer.id] * again))[0].user for again in range(2)]
    assert taken == [answer.user, "unpaid"]
