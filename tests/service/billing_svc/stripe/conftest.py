"""The adaptor beside a pretend Stripe, with the plans that ship."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cli.local.stripe.pretend import PLANS, Pretend, pretend
from services.billing_svc.domain.plan import Catalogue
from services.billing_svc.payments.stripe import Stripe
from services.billing_svc.plans import load
from tests.service.billing_svc.stripe.shopping import Buyers, Inbox, Shop, adaptor


@pytest.fixture(scope="session")
def plans() -> Catalogue:
    return load(Path(PLANS), "test")


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(Inbox.opened())


@pytest.fixture
async def fake(inbox: Inbox) -> AsyncIterator[Pretend]:
    async with pretend(inbox.url) as fake:
        yield fake


@pytest.fixture
def buyers() -> Buyers:
    return Buyers()


@pytest.fixture
async def stripe(fake: Pretend, plans: Catalogue, buyers: Buyers) -> AsyncIterator[Stripe]:
    async with adaptor(fake, plans, buyers) as stripe:
        yield stripe


@pytest.fixture
def shop(fake: Pretend, stripe: Stripe, plans: Catalogue, inbox: Inbox) -> Shop:
    return Shop(fake, stripe, plans, inbox)
