"""billing_svc in process, on a database of its own, with a clock that the test sets."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from runtime.postgres import Pool, pool
from scenemesh.billing.v1 import billing_pb2_grpc
from services.billing_svc import plans
from services.billing_svc.servicer import SERVICE, BillingServicer
from services.billing_svc.store import MIGRATIONS, SCHEMA, Subscriptions
from tests.harness.serving import Dial, served

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


@pytest.fixture
async def dial(certificates: Path, connections: Pool) -> AsyncIterator[Dial]:
    servicer = BillingServicer(plans.load(plans.PLANS), Subscriptions(connections), lambda: NOW)
    register = partial(billing_pb2_grpc.add_BillingServiceServicer_to_server, servicer)
    async with served(certificates, "billing", register, SERVICE) as dial:
        yield dial
