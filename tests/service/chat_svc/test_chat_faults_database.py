"""Postgres goes away: before an answer, in the middle of one, in the middle of a transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import asyncpg
import grpc
import pytest

from runtime.errors import Unavailable
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.answering import generation, generations, recovery
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.gate import Gate, gate
from tests.service.chat_svc.groups import reason, stop
from tests.service.chat_svc.replica import Lapse, Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import failed, failure, kinds, numbers, said
from tests.service.chat_svc.siblings import FakeQuota

SOCKET = ".s.PGSQL.5432"
# Before anybody who waits for a connection, or for an answer, has done so in vain.
FAST_SECONDS = 25

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE

# A sequence counts them: it is in no transaction.
REFUSED = """
    CREATE SEQUENCE chat.refusals;
    CREATE FUNCTION chat.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM nextval('chat.refusals');
        RAISE EXCEPTION 'refused' USING ERRCODE = '{}';
    END $$;
    CREATE TRIGGER refusal BEFORE UPDATE ON chat.messages
        FOR EACH ROW WHEN (NEW.state = 'streaming') EXECUTE FUNCTION chat.refuse();
"""

LAPSED = "SELECT count(*) FROM chat.messages WHERE state = 'streaming' AND lease_until < now()"


@dataclass(frozen=True)
class Gated:
    """A replica whose way to Postgres is a gate; others `around` it may have the same one."""

    running: Replica
    postgres: Gate
    around: Surroundings

    @property
    def alice(self) -> Person:
        return self.running.person()


@pytest.fixture
async def gated(around: Surroundings, claude: Model) -> AsyncIterator[Gated]:
    engine = Path(parse_qs(urlsplit(around.database).query)["host"][0]) / SOCKET
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="gate-")))
        postgres = await stack.enter_async_context(gate(directory / SOCKET, engine))
        dsn = around.database.split("?")[0] + "?" + urlencode({"host": str(directory)})
        behind = replace(around, database=dsn)
        running = await stack.enter_async_context(replica(behind, [claude]))
        yield Gated(running, postgres, behind)
        await postgres.open()


async def test_without_postgres_a_turn_is_refused_at_once_and_gives_its_hold_back(
    gated: Gated, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await gated.alice.conversation()
    await gated.postgres.close()
    async with asyncio.timeout(FAST_SECONDS):
        for call in (gated.alice.turn(conversation), gated.alice.messages(conversation)):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            assert caught.value.code() == UNAVAILABLE
    assert (fake.requests, quota.left) == ([], 5)
    await gated.postgres.open()
    assert kinds(await gated.alice.turn(conversation))[-1] == "finished"


async def test_a_turn_that_is_cut_in_its_transaction_leaves_nothing_behind(
    gated: Gated, database: str, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await gated.alice.conversation()
    other = await asyncpg.connect(database)
    async with other.transaction():
        await other.execute("SELECT FROM chat.conversations FOR UPDATE")
        turn = asyncio.create_task(gated.alice.turn(conversation))
        await eventually(lambda: quota.states() == [quota_pb2.HOLD_STATE_HELD])
        while not await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
        await gated.postgres.close()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await turn
    await other.close()
    assert caught.value.code() == UNAVAILABLE
    assert (fake.requests, quota.states()) == ([], [quota_pb2.HOLD_STATE_RELEASED])
    await gated.postgres.open()
    assert await gated.alice.messages(conversation) == []
    assert kinds(await gated.alice.turn(conversation))[-1] == "finished"


async def test_an_answer_goes_on_without_postgres_and_is_kept_when_it_is_back(
    gated: Gated, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await gated.alice.conversation()
    fake.script(Behaviour(answer=["word "] * 2_000, delay_ms=20))
    stream = gated.alice.sending(conversation)
    events = [await anext(stream) for _ in range(3)]
    await gated.postgres.close()
    events += [await anext(stream) for _ in range(8)]
    gated.running.generations.stop(UUID(events[0].message.split("/")[-1]))
    await eventually(lambda: fake.open_streams == 0)
    assert quota.states() == [quota_pb2.HOLD_STATE_HELD]
    await gated.postgres.open()
    events += [event async for event in stream]
    assert (kinds(events)[-1], numbers(events)) == ("finished", list(range(1, len(events) + 1)))
    _, answer = await gated.alice.messages(conversation)
    assert (answer, answer.text) == (events[-1].finished.message, said(events))
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]


async def test_an_answer_can_be_stopped_without_postgres_where_it_is_made_and_by_its_person_alone(
    gated: Gated, fake: FakeProvider
) -> None:
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    stream = gated.alice.sending(await gated.alice.conversation())
    events = [await anext(stream) for _ in range(2)]
    await gated.postgres.close()
    for person, told, streams in (
        (gated.running.person("bob"), "DATABASE_UNAVAILABLE", 1),
        (gated.alice, "STOP_PENDING", 0),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stop(person, events[0].message)
        assert (caught.value.code(), reason(caught.value)[1]) == (UNAVAILABLE, told)
        await eventually(partial(_speak, fake, streams))
    await gated.postgres.open()
    events += [event async for event in stream]
    assert (said(events), events[-1].finished.reason) == ("a", chat_pb2.FINISH_REASON_STOPPED)


def _speak(fake: FakeProvider, streams: int) -> bool:
    return fake.open_streams == streams


async def test_an_answer_that_could_not_be_kept_is_not_said_to_be(
    gated: Gated, fake: FakeProvider, quota: FakeQuota, lapse: Lapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "KEEP_SECONDS_MAX", 0.1)
    fake.script(Behaviour(answer=["word "] * 6, stall_after=5))
    stream = gated.alice.sending(await gated.alice.conversation())
    events = [await anext(stream) for _ in range(6)]
    await gated.postgres.close()
    gated.running.generations.stop(UUID(events[0].message.split("/")[-1]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(stream)
    assert caught.value.code() == UNAVAILABLE
    assert (kinds(events), said(events)) == (["started", *["delta"] * 5], "word " * 5)
    await gated.postgres.open()
    await lapse()
    await gated.running.recovery.sweep()
    watched = await gated.alice.watched(events[0].message)
    assert watched[:6] == events
    assert failure(watched) == failed(chat_pb2.FAILURE_REASON_INTERRUPTED, 1, "word " * 5)
    assert quota.states() == [quota_pb2.HOLD_STATE_SETTLED]


async def test_after_postgres_was_away_answers_stay_with_owners_that_live(
    gated: Gated,
    database: str,
    claude: Model,
    fake: FakeProvider,
    lapse: Lapse,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However late the owner is with its renewal.
    monkeypatch.setattr(recovery, "CALM_SECONDS", 600.0)
    conversation = await gated.alice.conversation()
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    stream, other = gated.alice.sending(conversation), await asyncpg.connect(database)
    started, _ = [await anext(stream) for _ in range(2)]
    async with replica(gated.around, [claude]) as there:
        await gated.postgres.close()
        with pytest.raises(Unavailable):
            await there.recovery.sweep()
        await lapse()
        await gated.postgres.open()
        async with asyncio.timeout(FAST_SECONDS):
            while await other.fetchval(LAPSED):
                await there.recovery.sweep()
                await asyncio.sleep(0.05)
        _, answer = await there.person().messages(conversation)
    await other.close()
    await stream.aclose()
    assert (answer.name, answer.state) == (started.message, chat_pb2.MESSAGE_STATE_STREAMING)


async def test_after_postgres_was_away_what_dead_owners_left_is_ended(
    gated: Gated, claude: Model, fake: FakeProvider, quota: FakeQuota, lapse: Lapse
) -> None:
    conversation = await gated.alice.conversation()
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    stream = gated.alice.sending(conversation)
    started, _ = [await anext(stream) for _ in range(2)]
    async with replica(gated.around, [claude]) as there:
        await gated.postgres.close()
        with pytest.raises(Unavailable):
            await there.recovery.sweep()
        await gated.running.kill()
        await gated.postgres.open()
        async with asyncio.timeout(FAST_SECONDS):
            while quota.states() == [quota_pb2.HOLD_STATE_HELD]:
                await lapse()
                await there.recovery.sweep()
                await asyncio.sleep(0.05)
        events = await there.person().watched(started.message)
    assert failure(events) == failed(chat_pb2.FAILURE_REASON_INTERRUPTED, 1, "a")


async def test_a_call_that_is_out_of_time_leaves_no_query_behind(gated: Gated, database: str) -> None:
    alice, conversation = gated.alice, await gated.alice.conversation()
    other = await asyncpg.connect(database)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with other.transaction():
        await other.execute("LOCK TABLE chat.conversations IN ACCESS EXCLUSIVE MODE")
        began, request = asyncio.get_running_loop().time(), chat_pb2.GetConversationRequest(name=conversation)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await alice.stub.GetConversation(request, metadata=alice.metadata, timeout=0.3)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert asyncio.get_running_loop().time() - began > 0.25
        async with asyncio.timeout(FAST_SECONDS):
            while await other.fetchval(waiting):
                await asyncio.sleep(0.01)
    await other.close()


@pytest.mark.parametrize("state", ["53100", "XX001"])
async def test_an_answer_outlives_what_the_database_says_to_the_renewal_of_its_lease(
    around: Surroundings,
    claude: Model,
    database: str,
    fake: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    monkeypatch.setattr(generations, "RENEWAL_SECONDS", 0.02)
    fake.script(Behaviour(answer=["a", "b", "c"], stall_after=2))
    async with replica(around, [claude]) as running:
        stream, other = running.person().sending(await running.person().conversation()), await asyncpg.connect(database)
        events = [await anext(stream) for _ in range(2)]
        await other.execute(REFUSED.format(state))
        async with asyncio.timeout(FAST_SECONDS):
            # The second one comes after all that the first one did.
            while await other.fetchval("SELECT last_value FROM chat.refusals") < 2:
                await asyncio.sleep(0.01)
        await other.close()
        running.generations.stop(UUID(events[0].message.split("/")[-1]))
        events += [event async for event in stream]
    assert (said(events), kinds(events)) == ("ab", ["started", "delta", "delta", "finished"])
    assert events[-1].finished.reason == chat_pb2.FINISH_REASON_STOPPED
