"""Calls that fail between their hold and their answer: who sends again goes on at once, and pays once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import grpc
import pytest

from runtime.status import error_info
from scenemesh.quota.v1 import quota_pb2
from services.chat_svc.domain.model import Model
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider
from tests.service.chat_svc.gate import Gate, gate
from tests.service.chat_svc.replica import WAIT_SECONDS, Person, Surroundings, eventually, replica
from tests.service.chat_svc.shape import kinds, said
from tests.service.chat_svc.siblings import FakeQuota

SOCKET = ".s.PGSQL.5432"
REQUEST, OTHER = "6f1d2c3e-0000-4000-8000-000000000001", "6f1d2c3e-0000-4000-8000-000000000002"

HELD, SETTLED, RELEASED = quota_pb2.HOLD_STATE_HELD, quota_pb2.HOLD_STATE_SETTLED, quota_pb2.HOLD_STATE_RELEASED
ONE_TURN = [{"chat": 1}]

LOCKED = "SELECT FROM chat.conversations WHERE id = $1 FOR UPDATE"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclass(frozen=True)
class Gated:
    """Somebody on a replica whose way to Postgres is a gate; `database` has another one."""

    alice: Person
    postgres: Gate
    database: str

    @asynccontextmanager
    async def locked(self, conversation: str) -> AsyncIterator[asyncpg.Connection]:
        """While the block runs, nobody begins an answer in the conversation."""
        other = await asyncpg.connect(self.database)
        try:
            async with other.transaction():
                await other.execute(LOCKED, conversation.removeprefix("conversations/"))
                yield other
        finally:
            await other.close()

    async def waiting(self, other: asyncpg.Connection) -> None:
        """Returns when somebody waits for a lock."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not await other.fetchval(WAITING):
                await asyncio.sleep(0.01)


@pytest.fixture
async def gated(around: Surroundings, claude: Model) -> AsyncIterator[Gated]:
    engine = Path(parse_qs(urlsplit(around.database).query)["host"][0]) / SOCKET
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="gate-")))
        postgres = await stack.enter_async_context(gate(directory / SOCKET, engine))
        dsn = around.database.split("?")[0] + "?" + urlencode({"host": str(directory)})
        running = await stack.enter_async_context(replica(replace(around, database=dsn), [claude]))
        yield Gated(running.person(), postgres, around.database)
        await postgres.open()


async def _refusal(alice: Person, conversation: str, request_id: str) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await alice.turn(conversation, request_id=request_id)
    return caught.value.code(), error_info(caught.value).reason


async def _cut(gated: Gated, conversation: str, quota: FakeQuota) -> None:
    """A turn that loses the database once credit is held for it."""
    async with gated.locked(conversation) as other:
        turn = asyncio.create_task(gated.alice.turn(conversation, request_id=REQUEST))
        await eventually(lambda: quota.states() == [HELD])
        await gated.waiting(other)
        await gated.postgres.close()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await turn
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    await gated.postgres.open()


@pytest.mark.parametrize("following", [REQUEST, OTHER, ""])
async def test_after_the_database_was_lost_whoever_sends_again_has_the_last_turn(
    gated: Gated, fake: FakeProvider, quota: FakeQuota, following: str
) -> None:
    quota.left = 1
    conversation = await gated.alice.conversation("Baker Street")
    await _cut(gated, conversation, quota)
    assert (quota.states(), quota.left) == ([RELEASED], 1)
    assert kinds(await gated.alice.turn(conversation, request_id=following))[-1] == "finished"
    assert (len(fake.requests), quota.charges(), quota.left) == (1, ONE_TURN, 0)


async def test_a_retry_that_fails_too_leaves_nothing_held(gated: Gated, quota: FakeQuota) -> None:
    quota.left = 1
    conversation = await gated.alice.conversation("Baker Street")
    await _cut(gated, conversation, quota)
    await gated.postgres.close()
    assert (await _refusal(gated.alice, conversation, REQUEST))[0] == grpc.StatusCode.UNAVAILABLE
    await gated.postgres.open()
    assert kinds(await gated.alice.turn(conversation, request_id=REQUEST))[-1] == "finished"
    assert (HELD not in quota.states(), quota.charges(), quota.left) == (True, ONE_TURN, 0)


async def test_a_hold_that_could_not_be_given_back_is_that_of_the_retry(
    gated: Gated, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 1
    conversation = await gated.alice.conversation("Baker Street")
    async with gated.locked(conversation) as other:
        turn = asyncio.create_task(gated.alice.turn(conversation, request_id=REQUEST))
        await gated.waiting(other)
        quota.away = True
        await gated.postgres.close()
        with pytest.raises(grpc.aio.AioRpcError):
            await turn
    await gated.postgres.open()
    quota.away = False
    assert quota.states() == [HELD]
    assert kinds(await gated.alice.turn(conversation, request_id=REQUEST))[-1] == "finished"
    assert (len(fake.requests), quota.states(), quota.charges()) == (1, [SETTLED], ONE_TURN)


async def test_who_hangs_up_before_the_answer_begins_finds_it_with_the_retry(
    gated: Gated, fake: FakeProvider, quota: FakeQuota
) -> None:
    quota.left = 1
    conversation = await gated.alice.conversation("Baker Street")
    fake.script(Behaviour(answer=["Elementary."]))
    async with gated.locked(conversation) as other:
        turn = asyncio.create_task(gated.alice.turn(conversation, request_id=REQUEST))
        await gated.waiting(other)
        turn.cancel()
        await asyncio.wait([turn])
    events = await gated.alice.turn(conversation, request_id=REQUEST)
    assert (kinds(events)[-1], said(events)) == ("finished", "Elementary.")
    assert (len(fake.requests), quota.states(), quota.charges()) == (1, [SETTLED], ONE_TURN)


async def test_who_was_refused_for_want_of_credit_goes_on_as_soon_as_there_is_some(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation, quota.left = await alice.conversation("Baker Street"), 0
    refusal = await _refusal(alice, conversation, REQUEST)
    assert (refusal, quota.holds) == ((grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXHAUSTED"), {})
    quota.left = 1
    assert kinds(await alice.turn(conversation, request_id=REQUEST))[-1] == "finished"
    assert (quota.charges(), quota.left) == (ONE_TURN, 0)


async def test_of_many_requests_at_once_one_begins_and_the_others_give_their_holds_back(
    alice: Person, fake: FakeProvider, quota: FakeQuota
) -> None:
    conversation = await alice.conversation("Baker Street")
    fake.script(Behaviour(answer=["a", "b"], stall_after=1))
    calls = [
        asyncio.create_task(alice.turn(conversation, request_id=REQUEST[:-1] + str(number))) for number in range(4)
    ]
    await eventually(lambda: sum(call.done() for call in calls) == 3)
    assert sorted(quota.states()) == sorted([HELD, *[RELEASED] * (len(quota.states()) - 1)])
    assert quota.left == 4
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize(("left", "charged"), [(1, 1), (0, 0)])
async def test_what_a_twin_gave_back_is_held_anew_for_what_the_answer_cost(
    alice: Person, fake: FakeProvider, quota: FakeQuota, left: int, charged: int
) -> None:
    conversation, quota.left = await alice.conversation("Baker Street"), 1
    fake.script(Behaviour(answer=["a", "b"]))
    quota.settles.clear()
    stream = alice.sending(conversation, request_id=REQUEST)
    events = [await anext(stream)]
    (hold,) = quota.holds.values()
    hold.state, quota.left = RELEASED, left
    quota.settles.set()
    events += [event async for event in stream]
    assert (kinds(events)[-1], quota.charges(), quota.left) == ("finished", ONE_TURN * charged, 0)
    assert quota.states() == [RELEASED, *[SETTLED] * charged]
    again = await alice.turn(conversation, request_id=REQUEST)
    assert (again[-1].finished.receipt.charged, quota.charges()) == (charged, ONE_TURN * charged)
