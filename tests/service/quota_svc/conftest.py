"""quota_svc in process, on a database of its own, with a clock and a billing that the test sets."""

from collections.abc import AsyncIterator
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
from tests.harness.serving import served
from tests.service.quota_svc.billing import Billing, serving
from tests.service.quota_svc.desk import Clock, Desk


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


@pytest.fixture
def billing() -> Billing:
    return Billing()


@pytest.fixture
async def billing_channel(billing: Billing) -> AsyncIterator[grpc.aio.Channel]:
    async with serving(billing) as channel:
        yield channel


@pytest.fixture
async def desk(
    certificates: Path, connections: Pool, billing: Billing, billing_channel: grpc.aio.Channel
) -> AsyncIterator[Desk]:
    clock = Clock()
    servicer = QuotaServicer(Ledger(connections), await Plans.first(billing_channel), clock, uuid4)
    register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, servicer)
    async with served(certificates, "quota", register, SERVICE) as dial:
        yield Desk(dial, clock, billing)
