"""Group commit, and the ledger's own promises: under load, under faults, over replicas."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo

from runtime.errors import MeshError, NotFound
from runtime.postgres import Pool, pool
from runtime.status import detail
from services.quota_svc.announcing import Announcing
from services.quota_svc.commits import Commits, Operation, single
from services.quota_svc.domain.account import Account
from services.quota_svc.domain.credit import Source
from services.quota_svc.domain.granting import GrantOrder, grant
from services.quota_svc.plans import Plans
from services.quota_svc.store import MIGRATIONS, SCHEMA, Asked, Ledger
from tests.harness import engines
from tests.service.quota_svc.desk import Clock, Desk, reason, refused, told
from tests.service.quota_svc.replica import replica

# What must hold of every user's ledger, whatever happened: each query finds nothing.
INVARIANTS = {
    "postings add up to zero": "SELECT user_id FROM postings GROUP BY user_id HAVING sum(amount) <> 0",
    "a credit's balance is the sum of its postings": """
        SELECT id FROM credits WHERE balance <> (
            SELECT coalesce(sum(amount), 0) FROM postings
            WHERE postings.user_id = credits.user_id AND credit_id = credits.id AND account = 'available'
        )
    """,
    "a settled hold was charged what it says, and no other hold was": """
        SELECT id FROM holds WHERE (
            SELECT coalesce(sum((line->>'settled')::bigint), 0) FROM jsonb_array_elements(lines) AS line
        ) <> (
            SELECT coalesce(sum(amount), 0) FROM entries WHERE entries.user_id = holds.user_id AND hold = holds.id
        )
    """,
    "no more is held than there is": """
        SELECT credits.id FROM credits JOIN (
            SELECT user_id, (lot->>'credit')::uuid AS id, sum((lot->>'amount')::bigint) AS held
            FROM holds, jsonb_array_elements(lines) AS line, jsonb_array_elements(line->'lots') AS lot
            WHERE state = 'held' GROUP BY 1, 2
        ) AS kept USING (user_id, id) WHERE held > balance
    """,
    "numbers rise without a gap": """
        SELECT user_id FROM entries GROUP BY user_id HAVING max(number) <> count(*)
    """,
    "an account knows its newest entry": """
        SELECT user_id FROM accounts
        WHERE number <> (SELECT coalesce(max(number), 0) FROM entries WHERE entries.user_id = accounts.user_id)
    """,
}


async def worker(desks: list[Desk], choice: random.Random) -> None:
    """Does what busy users' requests do, in any order; refusals are part of it."""
    holds = []
    for _ in range(40):
        desk, user = choice.choice(desks), choice.choice(["ann", "bob", "cat"])
        try:
            match choice.choice(["reserve", "reserve", "settle", "settle", "release", "extend", "grant", "expire"]):
                case "reserve":
                    holds.append(await desk.hold(choice.randint(1, 4), user=user, seconds=choice.randint(1, 3)))
                case "settle" if holds:
                    hold = choice.choice(holds)
                    await desk.settle(hold, choice.randint(1, hold.lines[0].amount))
                case "extend" if holds:
                    hold = choice.choice(holds)
                    await desk.extend(hold, hold.lines[0].amount + 1)
                case "release" if holds:
                    await desk.release(choice.choice(holds))
                case "grant":
                    await desk.grant(choice.randint(1, 2), user=user)
                case "expire":
                    desk.clock.forward(seconds=1)
        except grpc.aio.AioRpcError as error:
            assert told(error)[1] in {"QUOTA_EXHAUSTED", "HOLD_RESOLVED", "AMOUNT_BELOW_HOLD"}


@pytest.mark.parametrize("seed", range(3))
async def test_no_order_of_events_over_two_replicas_breaks_the_ledger(
    desk: Desk, other_desk: Desk, connections: Pool, seed: int
) -> None:
    async with asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(worker([desk, other_desk], random.Random(f"{seed}-{number}")))
    broken = {name: rows for name, query in INVARIANTS.items() if (rows := await connections.fetch(query))}
    assert broken == {}
    assert await connections.fetchval("SELECT count(*) FROM entries") > 10
    assert await desk.quota() == await other_desk.quota()


async def test_the_database_refuses_to_change_an_entry(desk: Desk, connections: Pool) -> None:
    await desk.grant(1)
    for statement in ("UPDATE entries SET amount = 2", "DELETE FROM entries", "TRUNCATE entries"):
        with pytest.raises(Exception, match="append-only"):
            await connections.execute(statement)


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_again(
    certificates: Path, connections: Pool, redis_url: str, plans: Plans, clock: Clock
) -> None:
    async with (
        replica(certificates, connections, redis_url, plans, clock, queue_max=2) as desk,
        connections.acquire() as one,
    ):
        await desk.hold(1)
        async with one.transaction():
            await one.execute("SELECT FROM accounts FOR UPDATE")
            waiting = [asyncio.ensure_future(desk.reserve(user="ann")) for _ in range(12)]
            done, late = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            error = await refused(next(iter(done)))
        await asyncio.gather(*late, return_exceptions=True)
    assert told(error) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
    retry = detail(error, RetryInfo)
    assert retry is not None
    pushback = dict(error.trailing_metadata())["grpc-retry-pushback-ms"]
    assert int(pushback) == retry.retry_delay.ToMilliseconds() > 0


@asynccontextmanager
async def committing(connections: Pool, plans: Plans, clock: Clock) -> AsyncIterator[Commits]:
    ledger = Ledger(connections, Announcing(clock, uuid4).messages)
    commits = Commits(ledger, plans.tariff, clock, lambda written: None)
    running = asyncio.create_task(commits.run())
    try:
        yield commits
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def granting(user: str, plans: Plans) -> Operation[int]:
    order = GrantOrder(user, uuid4(), "chat", 1, Source.PROMO)

    def change(account: Account, now: object) -> int:
        grant(account, order, plans.tariff(), now)  # type: ignore[arg-type]
        return account.balance("chat")

    return single(user, change, Asked(), opens=True)


async def test_a_defect_in_one_operation_is_that_operations_alone(
    connections: Pool, plans: Plans, clock: Clock
) -> None:
    def defect(account: Account, now: object) -> int:
        raise ZeroDivisionError

    def refusal(account: Account, now: object) -> int:
        raise NotFound("There is no such thing.", reason="NOTHING")

    async with committing(connections, plans, clock) as commits:
        operations = [
            granting("ann", plans),
            single("ann", defect, Asked()),
            single("ann", refusal, Asked()),
            granting("ann", plans),
        ]
        outcomes = await asyncio.gather(*map(commits.commit, operations), return_exceptions=True)
    assert [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes] == [
        1,
        ZeroDivisionError,
        NotFound,
        2,
    ]
    assert isinstance(outcomes[2], MeshError)


async def test_an_operation_whose_caller_has_gone_before_its_turn_is_dropped(
    connections: Pool, plans: Plans, clock: Clock
) -> None:
    async with committing(connections, plans, clock) as commits:
        gone = asyncio.ensure_future(commits.commit(granting("ann", plans)))
        await asyncio.sleep(0)
        gone.cancel()
        assert await commits.commit(granting("ann", plans)) == 1


async def test_a_caller_that_is_cut_off_finds_nothing_or_the_same_hold(desk: Desk) -> None:
    for _ in range(20):
        request_id = uuid4()
        call = desk.chat.Reserve(desk.reserve_request(1, request_id=request_id))
        await asyncio.sleep(0.001)
        call.cancel()
        hold = (await desk.reserve(1, request_id=request_id)).hold
        await desk.release(hold)
    assert (await desk.meter()).remaining == 5


async def test_what_is_remembered_of_an_account_yields_to_another_replicas_write(desk: Desk, other_desk: Desk) -> None:
    await desk.settle(await desk.hold(5), 5)
    assert (await reason(desk.reserve()))[1] == "QUOTA_EXHAUSTED"
    await other_desk.grant(1)
    hold = await desk.hold(1)
    await other_desk.release(hold)
    assert (await reason(desk.settle(hold, 1)))[1] == "HOLD_RESOLVED"


async def test_a_database_that_goes_away_is_unavailable_and_works_again_when_it_is_back(
    certificates: Path, redis_url: str, plans: Plans, clock: Clock
) -> None:
    # Not below pytest's own directory: whichever run starts next closes that to the user that Postgres runs as.
    with tempfile.TemporaryDirectory() as directory, ExitStack() as first, ExitStack() as second:
        dsn = first.enter_context(engines.postgres(Path(directory)))
        async with (
            pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections,
            replica(certificates, connections, redis_url, plans, clock) as desk,
        ):
            hold = await desk.hold(3)
            await asyncio.to_thread(first.close)
            for call in (desk.reserve(), desk.quota(), desk.settle(hold, 3), desk.entries(), desk.grant(1)):
                assert await reason(call) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
            assert await asyncio.to_thread(second.enter_context, engines.postgres(Path(directory))) == dsn
            await desk.settle(hold, 3)
            assert (await desk.meter()).used == 3
