"""The ledger's own promises: under concurrency, and when the database goes away."""

import asyncio
import random
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from runtime.postgres import Pool, pool
from scenemesh.quota.v1 import quota_pb2_grpc
from services.quota_svc.plans import Plans
from services.quota_svc.servicer import SERVICE, QuotaServicer
from services.quota_svc.store import MIGRATIONS, SCHEMA, Ledger
from tests.harness import engines
from tests.harness.serving import served
from tests.service.quota_svc.billing import Billing
from tests.service.quota_svc.desk import Clock, Desk, told

# What must hold of every user's ledger, whatever happened: each query finds nothing.
INVARIANTS = {
    "every settled hold was charged what it says, and no other hold was": """
        SELECT id FROM holds WHERE settled_amount <> (
            SELECT coalesce(-sum(amount), 0) FROM entries
            WHERE entries.user_id = holds.user_id AND entries.hold = holds.id
        )
    """,
    "no allowance is overspent": """
        SELECT sum(taken) FROM (
            SELECT -amount AS taken FROM entries WHERE kind = 'allowance_charge'
            UNION ALL
            SELECT from_allowance FROM holds WHERE state = 'held'
        ) AS takings HAVING sum(taken) > 10
    """,
    "no granted credit is overspent": """
        SELECT sum(credit) FROM (
            SELECT amount AS credit FROM entries WHERE kind IN ('grant', 'grant_charge')
            UNION ALL
            SELECT -from_grants FROM holds WHERE state = 'held'
        ) AS credits HAVING sum(credit) < 0
    """,
    "numbers rise without a gap": """
        SELECT max(number) FROM entries HAVING max(number) <> count(*)
    """,
}


async def worker(desk: Desk, choice: random.Random) -> None:
    """Does what a busy user's requests do, in any order; refusals are part of it."""
    holds = []
    for _ in range(25):
        try:
            match choice.choice(["reserve", "reserve", "settle", "settle", "release", "grant", "expire"]):
                case "reserve":
                    holds.append(await desk.hold(choice.randint(1, 4), seconds=choice.randint(1, 3)))
                case "settle" if holds:
                    hold = choice.choice(holds)
                    await desk.settle(hold, choice.randint(1, hold.amount))
                case "release" if holds:
                    await desk.release(choice.choice(holds))
                case "grant":
                    await desk.grant(choice.randint(1, 2))
                case "expire":
                    desk.clock.forward(seconds=1)
        except grpc.aio.AioRpcError as error:
            assert told(error)[1] in {"QUOTA_EXHAUSTED", "HOLD_RESOLVED"}


@pytest.mark.parametrize("seed", range(3))
async def test_no_order_of_events_breaks_the_ledger(desk: Desk, connections: Pool, seed: int) -> None:
    desk.billing.subscribe("ann", "plans/ten")
    async with asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(worker(desk, random.Random(f"{seed}-{number}")))
    broken = {name: rows for name, query in INVARIANTS.items() if (rows := await connections.fetch(query))}
    assert broken == {}
    meter = await desk.meter()
    assert meter.remaining == meter.limit + meter.granted - meter.used - meter.held >= 0


async def test_a_database_that_goes_away_is_unavailable_and_works_again_when_it_is_back(
    certificates: Path, billing_channel: grpc.aio.Channel, billing: Billing
) -> None:
    # Not below pytest's own directory: whichever run starts next closes that to the user that Postgres runs as.
    with tempfile.TemporaryDirectory() as directory, ExitStack() as first, ExitStack() as second:
        dsn = first.enter_context(engines.postgres(Path(directory)))
        async with pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections:
            servicer = QuotaServicer(Ledger(connections), await Plans.first(billing_channel), Clock(), uuid4)
            register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, servicer)
            async with served(certificates, "quota", register, SERVICE) as dial:
                desk = Desk(dial, Clock(), billing)
                hold = await desk.hold(3)
                await asyncio.to_thread(first.close)
                for call in (desk.reserve(), desk.quota(), desk.settle(hold, 3), desk.entries(), desk.grant(1)):
                    with pytest.raises(grpc.aio.AioRpcError) as refusal:
                        await call
                    assert told(refusal.value) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
                assert await asyncio.to_thread(second.enter_context, engines.postgres(Path(directory))) == dsn
                await desk.settle(hold, 3)
                assert (await desk.meter()).used == 3
