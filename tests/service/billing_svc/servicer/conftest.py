"""The user-facing RPCs of billing_svc behind the real server, with a Stripe and a Cryptomus that the test sets."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from runtime.postgres import Pool
from scenemesh.billing.v1 import billing_pb2_grpc
from scenemesh.billing.v1.billing_pb2_grpc import BillingServiceStub
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.keeping import Keeping
from services.billing_svc.managing import Managing
from services.billing_svc.payments.sellers import Sellers
from services.billing_svc.reconciling.running import Reconciling
from services.billing_svc.redeeming import Redeeming
from services.billing_svc.repeating import Repeating
from services.billing_svc.selling import Selling
from services.billing_svc.servicer.billing import BillingServicer
from services.billing_svc.store import Books, Effects
from services.billing_svc.store.checkouts import Checkouts
from services.billing_svc.store.promos import Promos
from services.billing_svc.store.reading import Invoices
from services.billing_svc.store.requests import Requests
from tests.harness.serving import Dial, served
from tests.service.billing_svc.servicer.desks import ScriptedDesk, ScriptedSeller
from tests.service.billing_svc.servicer.till import Till
from tests.service.billing_svc.shop import Clock

SERVICE = "scenemesh.billing.v1.BillingService"


@pytest.fixture
def stripe(clock: Clock) -> ScriptedDesk:
    return ScriptedDesk(clock)


@pytest.fixture
def cryptomus(clock: Clock) -> ScriptedSeller:
    return ScriptedSeller(Provider.CRYPTOMUS, clock)


@pytest.fixture
def sellers(stripe: ScriptedDesk, cryptomus: ScriptedSeller) -> Sellers:
    return Sellers(stripe, [cryptomus])


@pytest.fixture
async def dial(
    certificates: Path,
    connections: Pool,
    books: Books,
    keeping: Keeping,
    catalogue: Catalogue,
    clock: Clock,
    sellers: Sellers,
) -> AsyncIterator[Dial]:
    servicer = BillingServicer(
        catalogue,
        Managing(books, keeping, sellers, catalogue, clock),
        Selling(books, keeping, Checkouts(connections), sellers, catalogue, clock),
        Redeeming(books, keeping, catalogue, clock, lambda: None),
        Invoices(connections),
        Promos(connections),
        Repeating(Requests(connections), clock),
        cast("Reconciling", None),  # Reconcile has tests of its own.
        clock,
    )
    register = partial(billing_pb2_grpc.add_BillingServiceServicer_to_server, servicer)
    async with served(certificates, "billing", register, SERVICE) as dial:
        yield dial


@pytest.fixture
def till(dial: Dial, keeping: Keeping) -> Till:
    """Ann's."""
    return Till(BillingServiceStub(dial("edge")), keeping)


@pytest.fixture
def effects(connections: Pool) -> Effects:
    return Effects(connections)
