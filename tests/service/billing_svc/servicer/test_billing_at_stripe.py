"""The life of a subscription, from the RPCs down to Stripe's API, as the pretend Stripe speaks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from google.type.money_pb2 import Money

from cli.local.stripe.cards import DECLINES
from cli.local.stripe.pretend import PLANS, SECRET, Pretend, pretend
from runtime.postgres import Pool
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc import plans
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.payments.sellers import Sellers
from services.billing_svc.payments.stripe import Stripe, stripe
from services.billing_svc.settings import Settings
from services.billing_svc.store.customers import Customers
from tests.service.billing_svc.servicer.till import MONTH, WEEK, Till, refusal
from tests.service.billing_svc.shop import Clock

ACTIVE = billing_pb2.SUBSCRIPTION_STATE_ACTIVE
CANCELLED = billing_pb2.SUBSCRIPTION_STATE_CANCELLED
PAUSED = billing_pb2.SUBSCRIPTION_STATE_PAUSED


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def catalogue() -> Catalogue:
    return plans.load(Path(PLANS), "test")


@pytest.fixture
async def fake() -> AsyncIterator[Pretend]:
    async with pretend("http://127.0.0.1:9/nobody-listens") as fake:
        yield fake


@pytest.fixture
def customers(connections: Pool) -> Customers:
    return Customers(connections)


@pytest.fixture
async def at_stripe(fake: Pretend, catalogue: Catalogue, customers: Customers, clock: Clock) -> AsyncIterator[Stripe]:
    said = {
        "certificates": Path("nowhere"),
        "redis_url": "unix:///nowhere",
        "postgres_dsn": "postgresql://nowhere",
        "STRIPE_SECRET_KEY": fake.key,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "stripe_url": fake.url,
    }
    async with stripe(Settings.model_validate(said), catalogue, customers, clock) as found:
        assert found is not None
        yield found


@pytest.fixture
def sellers(at_stripe: Stripe) -> Sellers:
    return Sellers(at_stripe.desk)


async def subscribed(till: Till, fake: Pretend, at_stripe: Stripe) -> None:
    """Ann checks out Pro for a month, pays, and it is noticed."""
    page = (await till.checkout()).name.rpartition("/")[2]
    assert fake.pay(page) is None
    facts = await at_stripe.auditor.agreement(fake.get("checkout.session", page)["subscription"])
    assert facts is not None
    await till.kept(*facts.agreements, payments=facts.payments)


def cents(amount: Money) -> int:
    return int(amount.units) * 100 + int(amount.nanos) // 10_000_000


async def test_a_plan_is_bought_changed_and_left(till: Till, fake: Pretend, at_stripe: Stripe) -> None:
    await subscribed(till, fake, at_stripe)
    assert await refusal(till.checkout()) == "FAILED_PRECONDITION SUBSCRIBED"
    foretold = await till.change("plans/max", MONTH, validate_only=True)
    done = await till.change("plans/max", MONTH)
    charged = (await till.invoices()).invoices
    assert (done.subscription.plan, len(charged)) == ("plans/max", 2)
    # A second of the old period is worth less than a cent, and may be the one that rounds it up.
    due = [cents(one) for one in (foretold.amount_due, done.amount_due, charged[0].amount)]
    assert max(due) - min(due) <= 1
    assert abs(cents(foretold.credited) - cents(done.credited)) <= 1
    planned = (await till.change("plans/creator", WEEK)).subscription
    assert (planned.plan, planned.next_plan, planned.next_interval) == ("plans/max", "plans/creator", WEEK)
    assert (await till.change("plans/max", MONTH)).subscription.next_plan == ""
    assert await refusal(till.change("plans/max", MONTH)) == "FAILED_PRECONDITION SAME_PLAN"
    assert (await till.cancel()).state == CANCELLED
    assert (await till.resume()).state == ACTIVE
    assert (await till.pause()).state == PAUSED
    assert (await till.resume()).state == ACTIVE
    assert (await till.cancel(immediately=True)).plan == "plans/free"
    assert await refusal(till.resume()) == "FAILED_PRECONDITION SUBSCRIPTION_ENDED"
    assert len((await till.invoices()).invoices) == 2


async def test_a_card_that_is_declined_changes_and_charges_nothing(
    till: Till, fake: Pretend, at_stripe: Stripe, customers: Customers
) -> None:
    await subscribed(till, fake, at_stripe)
    before = await till.subscription()
    customer = await customers.customer("ann", Provider.STRIPE)
    assert customer is not None
    fake.card(customer, DECLINES)
    assert await refusal(till.change("plans/max", MONTH)) == "FAILED_PRECONDITION PAYMENT_DECLINED"
    assert await refusal(till.buy()) == "FAILED_PRECONDITION PAYMENT_DECLINED"
    assert await till.subscription() == before


async def test_a_pack_is_bought_with_the_card_that_is_known(till: Till, fake: Pretend, at_stripe: Stripe) -> None:
    assert await refusal(till.buy()) == "FAILED_PRECONDITION NO_PAYMENT_METHOD"
    assert await refusal(till.portal()) == "FAILED_PRECONDITION NO_CUSTOMER"
    await subscribed(till, fake, at_stripe)
    bought = await till.buy()
    assert (bought.state, [(line.article, line.credits) for line in bought.lines]) == (
        billing_pb2.INVOICE_STATE_PAID,
        [("packs/small", 100)],
    )
    assert (await till.portal()).test_mode


async def test_an_earlier_page_can_be_paid_no_more(till: Till, fake: Pretend, clock: Clock) -> None:
    first = (await till.checkout()).name.rpartition("/")[2]
    clock.forward(seconds=1)
    await till.checkout()
    assert fake.get("checkout.session", first)["status"] == "expired"


async def test_a_code_that_stripe_does_not_know_is_not_found(till: Till) -> None:
    assert await refusal(till.checkout(promo_code="NOTHING")) == "NOT_FOUND PROMO_CODE_NOT_FOUND"
