"""Calls that take too long: the caller's deadline, or the contract's where the caller has none or a longer one."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest

from runtime import postgres
from runtime.contract import Contract
from runtime.interceptors.call import Call
from runtime.status import error_info
from scenemesh.chat.v1 import chat_pb2
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.harness.patience import DEADLINE, policy_seconds
from tests.service.chat_svc.replica import WAIT_SECONDS, Person

SERVICE = "scenemesh.chat.v1.ChatService"
DEADLINE_SECONDS = 0.3
# Of which a busy machine may need some before one is begun in so short a time.
CALLS = 20
# The service's, not the test's.
QUERIES = "FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'chat'"
WAITING = f"SELECT query {QUERIES} AND wait_event_type = 'Lock'"
BUSY = f"SELECT query {QUERIES} AND state <> 'idle'"

Database = asyncpg.Connection


@pytest.fixture(autouse=True)
def endless_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its call ends a query."""
    monkeypatch.setattr(postgres, "COMMAND_SECONDS", 10.0 * WAIT_SECONDS)


@pytest.fixture
async def conversation(alice: Person) -> str:
    return await alice.conversation("Titled")


@pytest.fixture
async def locked(database: str, conversation: str) -> AsyncIterator[Database]:
    """The database, in which nobody gets at a conversation."""
    # One in a transaction sees others as they were when it first looked.
    locking, looking = await asyncpg.connect(database), await asyncpg.connect(database)
    async with locking.transaction():
        await locking.execute("LOCK TABLE chat.conversations IN ACCESS EXCLUSIVE MODE")
        yield looking
    await locking.close()
    await looking.close()


async def waits(database: Database, call: "asyncio.Task[chat_pb2.Conversation]") -> bool:
    """Whether a query of the service waits for the lock before the call is over."""
    while not call.done():
        if await database.fetch(WAITING):
            return True
        await asyncio.sleep(0.005)
    return False


async def at_rest(database: Database) -> None:
    """Waits until the service asks for nothing any more, though what it asked for cannot have come."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await database.fetch(BUSY):
            await asyncio.sleep(0.01)


def called(person: Person, name: str, seconds: float | None = None) -> "asyncio.Task[chat_pb2.Conversation]":
    request = chat_pb2.GetConversationRequest(name=name)

    async def call() -> chat_pb2.Conversation:
        return await person.stub.GetConversation(request, metadata=person.metadata, timeout=seconds)

    return asyncio.create_task(call())


async def test_a_callers_deadline_ends_the_call_and_the_query_that_it_waits_for(
    alice: Person, conversation: str, locked: Database
) -> None:
    waited = False
    for _ in range(CALLS):
        call = called(alice, conversation, DEADLINE_SECONDS)
        waited = await waits(locked, call)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await at_rest(locked)
        if waited:
            break
    assert waited, "no query was ever asked"


@pytest.mark.parametrize("sent_seconds", [None, 10.0 * WAIT_SECONDS])
async def test_without_a_shorter_one_the_contracts_deadline_ends_the_call_and_its_query(
    alice: Person, conversation: str, locked: Database, sent_seconds: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_contract = contracted(monkeypatch, "GetConversation")
    waited = False
    for _ in range(CALLS):
        call = called(alice, conversation, sent_seconds)
        waited = await waits(locked, call)
        assert await refusal(call) == of_contract
        await at_rest(locked)
        if waited:
            break
    assert waited, "no query was ever asked"


async def test_a_stream_without_a_deadline_ends_at_the_contracts(
    alice: Person, conversation: str, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.script(Behaviour(silent=True))
    # So long that the model is asked before.
    of_contract = contracted(monkeypatch, "SendMessage", 4.0)
    request = chat_pb2.SendMessageRequest(parent=conversation, text="Who are you?")
    events: list[chat_pb2.ChatEvent] = []

    async def heard() -> None:
        events.extend([event async for event in alice.stub.SendMessage(request, metadata=alice.metadata)])

    assert await refusal(asyncio.create_task(heard())) == of_contract


def contracted(monkeypatch: pytest.MonkeyPatch, rpc: str, seconds: float = 0.5) -> tuple[grpc.StatusCode, str, str]:
    """Lets the contract's limit on an RPC pass in a moment; how a call that reaches it is refused."""
    path, patient = f"/{SERVICE}/{rpc}", DEADLINE._policy_seconds
    scale = seconds / Contract.of([SERVICE]).methods[path].policy.deadline.total_seconds()

    def scaled(call: Call) -> float | None:
        # What the call asks of others has its own limit.
        limit: float | None = patient(call) if call.path != path else (policy_seconds(call) or 0) * scale
        return limit

    monkeypatch.setattr(DEADLINE, "_policy_seconds", scaled)
    return grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", f"This took longer than {seconds:.1f} s."


async def refusal(call: "asyncio.Task[object]") -> tuple[grpc.StatusCode, str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await asyncio.wait_for(call, WAIT_SECONDS)
    return caught.value.code(), error_info(caught.value).reason, caught.value.details() or ""
