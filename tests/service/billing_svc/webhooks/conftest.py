"""A process that takes in what a scripted provider sends, and the service in front of it."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from runtime.postgres import Pool
from scenemesh.billing.v1 import webhook_pb2_grpc
from services.billing_svc.keeping import Keeping
from services.billing_svc.servicer.webhooks import SERVICE, WebhookServicer
from services.billing_svc.store.deliveries import Deliveries
from tests.harness.serving import Dial, served
from tests.service.billing_svc.shop import Clock
from tests.service.billing_svc.webhooks.replica import Replica, replica
from tests.service.billing_svc.webhooks.scripted import Scripted


@pytest.fixture
def stripe() -> Scripted:
    return Scripted()


@pytest.fixture
def deliveries(connections: Pool) -> Deliveries:
    return Deliveries(connections)


@pytest.fixture
async def post(connections: Pool, keeping: Keeping, stripe: Scripted, clock: Clock) -> AsyncIterator[Replica]:
    async with replica(connections, keeping, [stripe], clock) as post:
        yield post


@pytest.fixture
async def dial(certificates: Path, post: Replica, deliveries: Deliveries, clock: Clock) -> AsyncIterator[Dial]:
    servicer = WebhookServicer(post.intake, deliveries, clock, post.processing.nudge)
    register = partial(webhook_pb2_grpc.add_WebhookServiceServicer_to_server, servicer)
    async with served(certificates, "billing", register, SERVICE) as dial:
        yield dial
