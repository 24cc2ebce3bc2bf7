"""quota_svc in process, on a database of its own, with a clock and a billing that the test sets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runtime.postgres import Pool, pool
from services.quota_svc.meters import meters
from services.quota_svc.plans import Plans
from services.quota_svc.store import MIGRATIONS, SCHEMA
from tests.service.quota_svc.billing import Billing, serving
from tests.service.quota_svc.desk import Clock, Desk
from tests.service.quota_svc.replica import replica


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


@pytest.fixture
def billing() -> Billing:
    return Billing()  # type: ignore[abstract] # it is asked for nothing else


@pytest.fixture
async def plans(billing: Billing) -> AsyncIterator[Plans]:
    async with serving(billing) as channel:
        yield await Plans.first(channel, meters())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def desk(
    certificates: Path, connections: Pool, redis_url: str, plans: Plans, clock: Clock
) -> AsyncIterator[Desk]:
    async with replica(certificates, connections, redis_url, plans, clock) as desk:
        yield desk


@pytest.fixture
async def other_desk(
    certificates: Path, connections: Pool, redis_url: str, plans: Plans, clock: Clock
) -> AsyncIterator[Desk]:
    """Another replica of the same service."""
    async with replica(certificates, connections, redis_url, plans, clock) as desk:
        yield desk
