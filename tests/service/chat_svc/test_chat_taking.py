"""Whoever takes an answer that another process left, and what may come between that and going on with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from runtime.errors import Unavailable
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import generations, going_on, handing_over
from services.chat_svc.answering.journal import Lull
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.handover import Handover
from services.chat_svc.domain.model import Capability, Model
from services.chat_svc.store import answers
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.replica import Events, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import failed, failure, kinds, said
from tests.service.chat_svc.siblings import FakeQuota

SETTLED = quota_pb2.HOLD_STATE_SETTLED


@pytest.fixture(autouse=True)
def begun(fake: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer breaks off in the middle when its process ends; that waits long until another one takes it."""
    fake.script(Behaviour(answer=["Elem", "x"], stall_after=1), Behaviour(answer=["entary", "."]))
    monkeypatch.setattr(handing_over, "TAKEN_SECONDS_MAX", 20.0)
    monkeypatch.setattr(handing_over, "UNHEARD_SECONDS_MAX", 20.0)
    monkeypatch.setattr(answers, "OFFER_SECONDS", 30.0)
    monkeypatch.setattr(going_on, "AGAIN_SECONDS", 0.1)


@pytest.fixture
def model(claude: Model) -> Model:
    return replace(claude, capabilities=frozenset({Capability.PREFILL}))


async def begin(one: Replica) -> chat_pb2.ChatEvent:
    """The first event of an answer of which somebody has seen a word."""
    alice = one.person()
    async with aclosing(alice.sending(await alice.conversation())) as stream:
        started = await anext(stream)
        await anext(stream)
    return started


async def end_of(one: Replica, started: chat_pb2.ChatEvent) -> Events:
    """All events of an answer, while the process that is asked for them also sweeps."""
    watching = asyncio.create_task(one.person().watched(started.message))
    async with asyncio.timeout(60):
        while not watching.done():
            await one.recovery.sweep()
            await asyncio.sleep(0.05)
    return await watching


@asynccontextmanager
async def taken(
    around: Surroundings, model: Model, patch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Replica, chat_pb2.ChatEvent, asyncio.Event]]:
    """A process that is about to go on with an answer that it took, the answer's first event, and what lets it."""
    async with replica(around, [model]) as taking, replica(around, [model]) as ending:
        draft, prepares, goes_on = taking.parts.going_on._draft, asyncio.Event(), asyncio.Event()

        async def slow(*about: Any) -> Any:
            prepares.set()
            await goes_on.wait()
            return await draft(*about)

        patch.setattr(taking.parts.going_on, "_draft", slow)
        started = await begin(ending)
        await ending.end()
        await prepares.wait()
        yield taking, started, goes_on


def key(started: chat_pb2.ChatEvent) -> UUID:
    return UUID(started.message.rpartition("/")[2])


def stumbles(one: Replica, times: int, patch: pytest.MonkeyPatch) -> list[str]:
    """The catalogue cannot be reached so often; the characters that were asked for in vain."""
    characters: Any = one.parts.going_on._scenes._characters
    catalogued, refused = characters._catalogued, list[str]()

    async def away(character: str) -> Any:
        if len(refused) == times:
            return await catalogued(character)
        refused.append(character)
        raise Unavailable("It is away.", reason="SIBLING_UNAVAILABLE")

    patch.setattr(characters, "_catalogued", away)
    return refused


async def test_whoever_stumbles_over_an_answer_goes_on_with_it_a_moment_later(
    around: Surroundings, model: Model, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replica(around, [model]) as staying, replica(around, [model]) as ending:
        refused = stumbles(staying, 3, monkeypatch)
        started = await begin(ending)
        await ending.end()
        events = await end_of(staying, started)
    assert (kinds(events)[-1], said(events), len(refused)) == ("finished", "Elementary.", 3)
    assert (quota.states(), len(quota.settled)) == ([SETTLED], 1)


async def test_an_answer_that_nobody_can_go_on_with_ends_with_what_was_said(
    around: Surroundings, model: Model, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(going_on, "TRY_SECONDS_MAX", 0.3)
    async with replica(around, [model]) as staying, replica(around, [model]) as ending:
        refused = stumbles(staying, 100, monkeypatch)
        started = await begin(ending)
        await ending.end()
        events = await end_of(staying, started)
    assert failure(events) == failed(chat_pb2.FAILURE_REASON_INTERRUPTED, 1, "Elem")
    assert refused
    assert (quota.states(), len(quota.settled)) == ([SETTLED], 1)


async def test_the_lease_of_an_answer_holds_while_it_is_prepared(
    around: Surroundings, model: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LEASE_SECONDS", 2.0)
    monkeypatch.setattr(generations, "RENEWAL_SECONDS", 0.1)
    async with taken(around, model, monkeypatch) as (taking, started, goes_on):
        pool = taking.parts.answers._pool
        until = await pool.fetchval("SELECT lease_until FROM messages WHERE id = $1", key(started))
        async with asyncio.timeout(60):
            while not await pool.fetchval("SELECT clock_timestamp() > $1", until):
                await taking.recovery.sweep()
                await asyncio.sleep(0.05)
        await taking.recovery.sweep()
        goes_on.set()
        events = await end_of(taking, started)
    assert (kinds(events)[-1], said(events), len(fake.requests)) == ("finished", "Elementary.", 2)


async def test_who_is_ended_before_it_has_gone_on_leaves_the_answer_to_a_third(
    around: Surroundings, model: Model, fake: FakeProvider, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with taken(around, model, monkeypatch) as (taking, started, goes_on), replica(around, [model]) as third:
        ended = asyncio.create_task(taking.end())
        await eventually(lambda: taking.generations.drained)
        goes_on.set()
        await ended
        events = await end_of(third, started)
    assert (kinds(events)[-1], said(events), len(fake.requests)) == ("finished", "Elementary.", 2)
    assert (quota.states(), len(quota.settled)) == ([SETTLED], 1)


async def test_who_cannot_go_on_and_is_ended_leaves_the_answer_to_a_third(
    around: Surroundings, model: Model, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replica(around, [model]) as taking, replica(around, [model]) as ending:
        refused = stumbles(taking, 1_000, monkeypatch)
        started = await begin(ending)
        await ending.end()
        await eventually(lambda: bool(refused))
        async with replica(around, [model]) as third:
            await taking.end()
            events = await end_of(third, started)
    assert (kinds(events)[-1], said(events), [event.HasField("seam") for event in events].count(True)) == (
        "finished",
        "Elementary.",
        1,
    )
    assert len(events[-1].finished.receipt.attempts) == 2
    assert (quota.states(), len(quota.settled)) == ([SETTLED], 1)


async def test_who_is_ended_while_it_takes_an_answer_leaves_it_to_a_third(
    around: Surroundings, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replica(around, [model]) as taking, replica(around, [model]) as ending:
        take, took, told = taking.parts.answers.take_offered, asyncio.Event(), asyncio.Event()

        async def slow() -> list[tuple[Message, Handover]]:
            if found := await take():
                took.set()
                await told.wait()
            return found

        monkeypatch.setattr(taking.parts.answers, "take_offered", slow)
        started = await begin(ending)
        leaving = asyncio.create_task(ending.end())
        await took.wait()
        async with replica(around, [model]) as third:
            ended = asyncio.create_task(taking.end())
            await eventually(lambda: taking.generations.drained)
            told.set()
            await asyncio.wait([leaving, ended])
            events = await end_of(third, started)
    assert (kinds(events)[-1], said(events)) == ("finished", "Elementary.")


async def test_an_offer_whose_reply_is_lost_is_made_once(
    around: Surroundings, model: Model, fake: FakeProvider, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with replica(around, [model]) as staying, replica(around, [model]) as ending:
        offer, offered = ending.parts.answers.offer, list[bool]()

        async def in_doubt(answer: Message, handover: Handover) -> bool:
            offered.append(await offer(answer, handover))
            if len(offered) == 1:
                raise Unavailable("The reply is lost.", reason="DATABASE_UNAVAILABLE")
            return offered[-1]

        monkeypatch.setattr(ending.parts.answers, "offer", in_doubt)
        started = await begin(ending)
        await ending.end()
        events = await end_of(staying, started)
    assert (kinds(events)[-1], said(events), offered) == ("finished", "Elementary.", [True, False])
    assert (len(fake.requests), quota.states(), len(quota.settled)) == (2, [SETTLED], 1)


async def test_who_watches_where_the_answer_goes_on_needs_no_redis(
    around: Surroundings, model: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.forget()
    fake.script(Behaviour(answer=["Elem", "x"], stall_after=1), Behaviour(answer=["entary", "x"], stall_after=1))

    async def away(_: UUID) -> AsyncIterator[Lull]:
        while True:
            yield Lull.AWAY
            await asyncio.sleep(0.05)

    async with replica(around, [model]) as staying, replica(around, [model]) as ending:
        monkeypatch.setattr(staying.parts.watching._journal, "follow", away)
        started = await begin(ending)
        async with aclosing(staying.person().watching(started.message)) as events:
            delayed = await anext(events)
            await ending.end()
            # The answer has not ended: the database has none of these.
            async with asyncio.timeout(60):
                seen = [await anext(events) for _ in range(4)]
            staying.generations.stop(key(started))
            seen += [event async for event in events]
    assert delayed.HasField("delayed")
    assert (kinds(seen), said(seen)) == (["started", "delta", "seam", "delta", "finished"], "Elementary")


async def test_who_lost_the_lease_while_preparing_does_not_go_on(
    around: Surroundings, model: Model, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generations, "RENEWAL_SECONDS", 0.1)
    lose = "UPDATE messages SET owner = gen_random_uuid(), lease_until = now() - interval '1 s' WHERE id = $1"
    async with taken(around, model, monkeypatch) as (taking, started, goes_on):
        await taking.parts.answers._pool.execute(lose, key(started))
        await eventually(lambda: not taking.generations.running)
        goes_on.set()
        events = await end_of(taking, started)
    assert failure(events) == failed(chat_pb2.FAILURE_REASON_INTERRUPTED, 1, "Elem")
    assert len(fake.requests) == 1


async def test_what_is_left_needs_no_redis(around: Surroundings, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    async with replica(around, [model]) as staying, replica(around, [model]) as ending:
        left = ending.parts.answers
        offer = left.offer

        async def flushed(answer: Any, handover: Handover) -> bool:
            await ending.parts.generations._journal._writing.flushall()
            return await offer(answer, handover)

        monkeypatch.setattr(left, "offer", flushed)
        started = await begin(ending)
        await ending.end()
        events = await end_of(staying, started)
    assert (kinds(events), said(events)) == (["started", "delta", "seam", "delta", "delta", "finished"], "Elementary.")


async def test_a_process_that_rests_from_redis_leaves_its_answers_all_the_same(
    around: Surroundings, model: Model
) -> None:
    async with replica(around, [model]) as staying, replica(around, [model]) as ending:
        started, journal = await begin(ending), ending.parts.generations._journal
        await journal._writing.flushall()
        journal._away_until = asyncio.get_running_loop().time() + 60
        await ending.end()
        events = await end_of(staying, started)
    assert (kinds(events)[-1], said(events)) == ("finished", "Elementary.")


async def test_what_was_left_and_taken_by_one_that_died_is_kept_though_redis_has_lost_it(
    around: Surroundings, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LEASE_SECONDS", 1.0)
    async with taken(around, model, monkeypatch) as (taking, started, goes_on), replica(around, [model]) as third:
        await taking.parts.generations._journal._writing.flushall()
        (_, answer) = await third.person().messages(started.message.partition("/messages")[0])
        assert answer.text == "Elem"
        taking.generations._renewal.cancel()
        events = await end_of(third, started)
        goes_on.set()
    assert failure(events) == failed(chat_pb2.FAILURE_REASON_INTERRUPTED, 1, "Elem")
