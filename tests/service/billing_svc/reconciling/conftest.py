"""A reconciliation between a scripted provider, a database of its own, and a quota_svc that can forget."""

from collections.abc import AsyncIterator

import grpc
import pytest

from runtime.postgres import Pool
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.billing_svc.applying import Applying
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.keeping import Keeping
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.store import Books, Effects
from services.billing_svc.store.audit import Audit
from tests.service.billing_svc import quota
from tests.service.billing_svc.reconciling.auditor import ScriptedAuditor
from tests.service.billing_svc.reconciling.ledger import LedgerDesk
from tests.service.billing_svc.shop import Clock

PATIENCE_SECONDS = 0.05


@pytest.fixture
def quota_desk() -> LedgerDesk:
    return LedgerDesk()  # type: ignore[abstract] # it is asked for nothing else


@pytest.fixture
async def quota_channel(quota_desk: LedgerDesk) -> AsyncIterator[grpc.aio.Channel]:
    async with quota.serving(quota_desk) as channel:
        yield channel


@pytest.fixture
def applying(connections: Pool, quota_channel: grpc.aio.Channel, clock: Clock) -> Applying:
    return Applying(Effects(connections), QuotaServiceStub(quota_channel), clock)


@pytest.fixture
def auditor() -> ScriptedAuditor:
    return ScriptedAuditor()


@pytest.fixture
def audit(connections: Pool) -> Audit:
    return Audit(connections)


@pytest.fixture
def reconciling(
    auditor: ScriptedAuditor,
    quota_channel: grpc.aio.Channel,
    keeping: Keeping,
    books: Books,
    audit: Audit,
    applying: Applying,
    catalogue: Catalogue,
    clock: Clock,
) -> Reconciling:
    return Reconciling(
        auditor,
        QuotaServiceStub(quota_channel),
        keeping,
        books,
        audit,
        applying,
        catalogue,
        clock,
        patience_seconds=PATIENCE_SECONDS,
        alive_seconds=0.02,
    )
