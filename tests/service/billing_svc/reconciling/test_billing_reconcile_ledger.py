"""What the real quota_svc says of a user, as the reconciliation reads it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from runtime.errors import Unavailable
from runtime.postgres import pool
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.billing_svc.convert import effects as convert
from services.billing_svc.domain.drift import Entered, Given
from services.billing_svc.domain.effect import Adjust, Grant, SetPlan, Source, Why
from services.billing_svc.domain.plan import Provider
from services.billing_svc.reconciling.ledger import Ledger
from services.quota_svc.meters import meters
from services.quota_svc.plans import Plans
from services.quota_svc.store import MIGRATIONS, SCHEMA
from tests.service.quota_svc.billing import Billing, serving
from tests.service.quota_svc.desk import Clock, Desk
from tests.service.quota_svc.replica import replica

USER = "ann"
DAY = timedelta(days=1)


@pytest.fixture
async def desk(certificates: Path, database: str, redis_url: str) -> AsyncIterator[Desk]:
    """A quota_svc on a database of its own."""
    billing = Billing()  # type: ignore[abstract] # it is asked for nothing else
    async with (
        pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections,
        serving(billing) as channel,
        replica(certificates, connections, redis_url, await Plans.first(channel, meters()), Clock()) as desk,
    ):
        yield desk


def given(grant: Grant, reclaimed: int = 0) -> Given:
    return Given(
        USER, Provider.STRIPE, "pi_1", "pack", grant.id, grant.credits, reclaimed, 1, disputed=False, told=True
    )


async def test_the_plan_is_the_one_that_was_told_last(desk: Desk) -> None:
    ledger = Ledger(desk.billing)
    assert await ledger.plan(USER) == "free"
    await desk.billing.SetPlan(convert.plan(USER, SetPlan(uuid4(), "pro")))
    assert await ledger.plan(USER) == "pro"


async def test_grants_and_what_was_taken_back_of_them_are_found_by_their_ids(desk: Desk) -> None:
    ledger, since = Ledger(desk.billing), desk.clock() - DAY
    whole, half, lost = (Grant(uuid4(), 100, Source.PURCHASE) for _ in range(3))
    assert await ledger.entered(USER, [given(lost)], since) == {lost.id: Entered()}
    for grant in (whole, half):
        await desk.billing.Grant(convert.grant(USER, grant))
    for units in (-60, -10, 20):
        why = Why.CORRECTION if units > 0 else Why.REFUND
        await desk.billing.Adjust(convert.adjustment(USER, Adjust(uuid4(), units, why, half.id)))
    wanted = [given(whole), given(half, 50), given(lost)]
    assert await ledger.entered(USER, wanted, since) == {
        whole.id: Entered(100, 0),
        half.id: Entered(100, 50),
        lost.id: Entered(),
    }


async def test_a_grant_is_found_behind_a_page_of_later_ones(desk: Desk) -> None:
    first = Grant(uuid4(), 7, Source.PURCHASE)
    await desk.billing.Grant(convert.grant(USER, first))
    for _ in range(110):
        await desk.billing.Grant(convert.grant(USER, Grant(uuid4(), 1, Source.PURCHASE)))
    found = await Ledger(desk.billing).entered(USER, [given(first)], desk.clock() - DAY)
    assert found == {first.id: Entered(7, 0)}


async def test_a_quota_that_is_not_there_is_unavailable() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(Unavailable) as failure:
            await Ledger(QuotaServiceStub(channel)).plan(USER)
    assert failure.value.reason == "QUOTA_UNAVAILABLE"
