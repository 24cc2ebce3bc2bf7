"""Leases are renewed however busy this process is with the database, and nobody keeps it busy with one conversation."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import grpc
import pytest

from runtime import postgres
from runtime.errors import Unavailable
from runtime.postgres import CONNECTIONS_MAX
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Model
from services.chat_svc.store import locks
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.gate import Gate, gate
from tests.service.chat_svc.groups import reason
from tests.service.chat_svc.replica import WAIT_SECONDS, Lapse, Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

SOCKET = ".s.PGSQL.5432"
# More than there are connections.
CROWD = CONNECTIONS_MAX + 8
# Before anybody who waits for a connection has done so in vain.
FAST_SECONDS = 25

BUSY = (grpc.StatusCode.UNAVAILABLE, "CONVERSATION_BUSY")
RENEWED = "SELECT count(*) FROM chat.messages WHERE state = 'streaming' AND lease_until > now()"
LEASE = "SELECT lease_until FROM chat.messages WHERE id = $1"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
async def looking(database: str) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    looking = await asyncpg.connect(database)
    yield looking
    await looking.close()


@asynccontextmanager
async def _locked(database: str, conversation: str) -> AsyncIterator[None]:
    """Somebody goes on changing the conversation while the block runs."""
    locking = await asyncpg.connect(database)
    try:
        async with locking.transaction():
            query = "SELECT FROM chat.conversations WHERE id = $1::uuid FOR UPDATE"
            await locking.execute(query, conversation.partition("/")[2])
            yield
    finally:
        await locking.close()


async def _silent(process: Replica, fake: FakeProvider) -> None:
    """An answer is being made, whose model says no more."""
    fake.script(Behaviour(answer=["a"], stall_after=1))
    person = process.person()
    stream = person.sending(await person.conversation("Named"))
    assert [(await anext(stream)).number for _ in range(2)] == [1, 2]


async def test_leases_are_renewed_while_every_connection_that_is_shared_is_taken(
    first: Replica, fake: FakeProvider, lapse: Lapse, looking: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await _silent(first, fake)
    pool = first.parts.answers._pool
    async with AsyncExitStack() as stack:
        for _ in range(CONNECTIONS_MAX):
            await stack.enter_async_context(pool.acquire())
        await lapse()
        async with asyncio.timeout(FAST_SECONDS):
            while not await looking.fetchval(RENEWED):
                await asyncio.sleep(0.01)


@pytest.fixture
async def gated(around: Surroundings, claude: Model) -> AsyncIterator[tuple[Replica, Gate]]:
    """A replica, and its way to Postgres."""
    engine = Path(parse_qs(urlsplit(around.database).query)["host"][0]) / SOCKET
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="leases-")))
        one = await stack.enter_async_context(gate(directory / SOCKET, engine))
        dsn = around.database.split("?")[0] + "?" + urlencode({"host": str(directory)})
        yield await stack.enter_async_context(replica(replace(around, database=dsn), [claude])), one
        await one.open()


async def test_a_renewal_that_the_database_leaves_unanswered_keeps_nobody_waiting(
    gated: tuple[Replica, Gate], fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, postgres_gate = gated
    await _silent(running, fake)
    answers, made = running.parts.answers, running.generations.running
    monkeypatch.setattr(postgres, "RESERVED_SECONDS", 0.2)
    postgres_gate.stall()
    async with asyncio.timeout(FAST_SECONDS):
        for _ in range(2):
            with pytest.raises(Unavailable):
                await answers.renew(made, ())
    monkeypatch.setattr(postgres, "RESERVED_SECONDS", float(WAIT_SECONDS))
    await postgres_gate.open()
    assert (await answers.renew(made, ())).kept == made


async def test_of_many_who_send_to_a_locked_conversation_one_waits_for_it_and_others_are_served(
    first: Replica,
    database: str,
    fake: FakeProvider,
    quota: FakeQuota,
    looking: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    quota.left = 2 * CROWD
    mallory, bob = first.person("mallory"), first.person("bob")
    theirs, his = await mallory.conversation("Named"), await bob.conversation("Named")
    async with _locked(database, theirs):
        sends = [asyncio.create_task(_outcome(mallory, theirs)) for _ in range(CROWD)]
        await eventually(lambda: len(quota.states()) == CROWD)
        async with asyncio.timeout(FAST_SECONDS):
            while not await looking.fetchval(WAITING):
                await asyncio.sleep(0.01)
            assert kinds(await bob.turn(his))[-1] == "finished"
        assert await looking.fetchval(WAITING) == 1
    ends = [await send for send in sends]
    assert set(ends) <= {"finished", "ANSWER_IN_PROGRESS", "CONVERSATION_CHANGED"}
    assert len(await mallory.messages(theirs)) == 2 * ends.count("finished") > 0


async def test_who_waits_in_vain_for_a_conversation_is_told_so_and_nothing_is_kept_of_it(
    first: Replica, database: str, fake: FakeProvider, quota: FakeQuota, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota.left = CROWD
    alice = first.person()
    conversation = await alice.conversation("Named")
    with monkeypatch.context() as patch:
        patch.setattr(locks, "WAIT_SECONDS", 0.2)
        async with _locked(database, conversation), asyncio.timeout(FAST_SECONDS):
            ends = [await send for send in [asyncio.create_task(_refused(alice, conversation)) for _ in range(CROWD)]]
            wanted = chat_pb2.Conversation(name=conversation, display_name="Other")
            renaming = chat_pb2.UpdateConversationRequest(conversation=wanted, update_mask={"paths": ["display_name"]})
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await alice.stub.UpdateConversation(renaming, metadata=alice.metadata)
    assert {*ends, reason(caught.value)} == {BUSY}
    assert (await alice.messages(conversation), fake.requests) == ([], [])
    await eventually(lambda: set(quota.states()) == {quota_pb2.HOLD_STATE_RELEASED})
    assert kinds(await alice.turn(conversation))[-1] == "finished"


async def test_an_answer_that_somebody_locks_keeps_the_leases_of_no_others_from_being_renewed(
    around: Surroundings, database: str, fake: FakeProvider, claude: Model, quota: FakeQuota
) -> None:
    quota.left = 10
    async with replica(around, [claude]) as owner:
        for _ in range(2):
            await _silent(owner, fake)
        locked, free = running = sorted(owner.generations.running)
        locking = await asyncpg.connect(database)
        try:
            async with locking.transaction():
                before = await locking.fetchval(LEASE, free)
                await locking.execute("SELECT FROM chat.messages WHERE id = $1 FOR UPDATE", locked)
                renewed = await owner.parts.answers.renew(running, [])
                async with asyncio.timeout(WAIT_SECONDS):
                    while await locking.fetchval(LEASE, free) <= before:
                        await asyncio.sleep(0.01)
        finally:
            await locking.close()
    assert renewed.kept == set(running)


async def _refused(person: Person, conversation: str) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await person.turn(conversation)
    return reason(caught.value)


async def _outcome(person: Person, conversation: str) -> str:
    """A turn's last event, or the reason that it was refused with."""
    try:
        return kinds(await person.turn(conversation))[-1]
    except grpc.aio.AioRpcError as error:
        return reason(error)[1]
