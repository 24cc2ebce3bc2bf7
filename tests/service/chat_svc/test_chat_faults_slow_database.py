"""Postgres is late, or all connections to it are taken: what cannot be is refused, and nothing is half done."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import grpc
import pytest

from runtime.postgres import CONNECTIONS_MAX
from scenemesh.chat.v1 import chat_pb2
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Model
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.gate import Gate, gate
from tests.service.chat_svc.replica import WAIT_SECONDS, Person, Replica, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds
from tests.service.chat_svc.siblings import FakeQuota

SOCKET = ".s.PGSQL.5432"
LATE_SECONDS = 1.0
# More than there are connections.
CROWD = CONNECTIONS_MAX + 8

WHOLE: list[int] = [chat_pb2.MESSAGE_STATE_COMPLETE] * 2


@pytest.fixture
async def late(around: Surroundings, claude: Model) -> AsyncIterator[tuple[Replica, Gate]]:
    """A replica, and its way to Postgres."""
    engine = Path(parse_qs(urlsplit(around.database).query)["host"][0]) / SOCKET
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="late-")))
        postgres = await stack.enter_async_context(gate(directory / SOCKET, engine))
        dsn = around.database.split("?")[0] + "?" + urlencode({"host": str(directory)})
        running = await stack.enter_async_context(replica(replace(around, database=dsn), [claude]))
        yield running, postgres
        postgres.delay_seconds = 0


async def _ended(call: asyncio.Task[object]) -> str:
    """The code that a call was refused with, empty for none."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return ""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No query takes long."""
    monkeypatch.setattr("runtime.postgres.COMMAND_SECONDS", 5.0)


@contextmanager
def hurried() -> Iterator[None]:
    """While the block runs, nobody waits for a connection for long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.postgres.ACQUIRE_SECONDS", 2.0)
        yield


async def test_where_every_connection_is_taken_calls_are_refused_and_leave_nothing_behind(
    around: Surroundings, claude: Model, database: str
) -> None:
    other = await asyncpg.connect(database)
    async with replica(around, [claude]) as running:
        alice = running.person()
        async with other.transaction():
            await other.execute("LOCK TABLE chat.conversations IN ACCESS EXCLUSIVE MODE")
            with hurried():
                calls: list[asyncio.Task[object]] = [asyncio.create_task(alice.conversation()) for _ in range(CROWD)]
                codes = Counter([await _ended(call) for call in calls])
            assert await other.fetchval("SELECT count(*) FROM chat.conversations") == 0
        assert codes.keys() <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
        # Those for whom there was no connection did not wait for a lock.
        assert codes["UNAVAILABLE"] >= CROWD - CONNECTIONS_MAX
        await _until_idle(other)
        assert await other.fetchval("SELECT count(*) FROM chat.conversations") == 0
        assert kinds(await alice.turn(await alice.conversation()))[-1] == "finished"
        assert await other.fetchval("SELECT count(*) FROM chat.conversations") == 1
    await other.close()


async def _until_idle(other: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Waits until nobody else asks the database anything."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await other.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        ):
            await asyncio.sleep(0.01)


async def test_where_every_answer_of_postgres_is_late_a_turn_is_whole_or_refused(
    late: tuple[Replica, Gate], quota: FakeQuota, fake: FakeProvider
) -> None:
    running, postgres = late
    people = [running.person(f"late-{number}") for number in range(CROWD)]
    quota.left = CROWD * 2
    conversations = [await person.conversation() for person in people]
    postgres.delay_seconds = LATE_SECONDS
    with hurried():
        turns = [asyncio.create_task(_end(person, one)) for person, one in zip(people, conversations, strict=True)]
        ends = [await turn for turn in turns]
    postgres.delay_seconds = 0
    await eventually(lambda: quota_pb2.HOLD_STATE_HELD not in quota.states())
    kept = [await _states(person, one) for person, one in zip(people, conversations, strict=True)]
    # What has begun goes on to its end, though whoever reads it is told that it cannot be kept just now.
    expected = {"finished": WHOLE, "begun UNAVAILABLE": WHOLE, "UNAVAILABLE": []}
    assert kept == [expected[end] for end in ends]
    assert quota.states().count(quota_pb2.HOLD_STATE_SETTLED) == len(fake.requests) == kept.count(WHOLE)
    again = [kinds(await person.turn(one))[-1] for person, one in zip(people, conversations, strict=True)]
    assert again == ["finished"] * CROWD


async def _end(person: Person, conversation: str) -> str:
    """How a turn ends: its last event, or the code that it was refused with, and whether it had begun."""
    begun, last = "", ""
    try:
        async for event in person.sending(conversation):
            begun, last = "begun ", str(event.WhichOneof("event"))
    except grpc.aio.AioRpcError as error:
        return f"{begun}{error.code().name}"
    return last


async def _states(person: Person, conversation: str) -> list[int]:
    return [message.state for message in await person.messages(conversation)]
