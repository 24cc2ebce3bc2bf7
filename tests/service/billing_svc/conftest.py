"""What billing_svc is made of, on a database of its own, with a clock and a quota_svc that the test sets."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from runtime.postgres import Pool, pool
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.billing_svc.announcing import Announcing
from services.billing_svc.applying import Applying
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.keeping import Keeping
from services.billing_svc.store import MIGRATIONS, SCHEMA, Books, Effects
from tests.service.billing_svc import quota
from tests.service.billing_svc.quota import QuotaDesk
from tests.service.billing_svc.shop import CATALOGUE, Clock


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


@pytest.fixture
def catalogue() -> Catalogue:
    return CATALOGUE


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def books(connections: Pool) -> Books:
    return Books(connections)


@pytest.fixture
def announcing() -> Announcing:
    return Announcing(uuid4)


@pytest.fixture
def keeping(books: Books, catalogue: Catalogue, announcing: Announcing, clock: Clock) -> Keeping:
    return Keeping(books, catalogue, announcing, clock, lambda: None)


@pytest.fixture
def quota_desk() -> QuotaDesk:
    return QuotaDesk()  # type: ignore[abstract] # it is asked for nothing else


@pytest.fixture
async def applying(connections: Pool, quota_desk: QuotaDesk, clock: Clock) -> AsyncIterator[Applying]:
    """Tells the quota desk what waits; a test runs it, or calls `apply`."""
    async with quota.serving(quota_desk) as channel:
        yield Applying(Effects(connections), QuotaServiceStub(channel), clock)
