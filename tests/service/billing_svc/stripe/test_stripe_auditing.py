"""Everything that Stripe knows, for comparing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import Payment
from services.billing_svc.domain.plan import Interval
from services.billing_svc.payments.stripe import client
from tests.service.billing_svc.stripe.shopping import Buyers, Shop, now


async def read(said: AsyncIterator[Facts]) -> tuple[list[Agreement], list[Payment]]:
    found = [facts async for facts in said]
    return [one for facts in found for one in facts.agreements], [one for facts in found for one in facts.payments]


async def test_it_says_what_the_webhooks_said(shop: Shop) -> None:
    ann = await shop.subscribed(user="ann")
    bob = await shop.subscribed("creator", Interval.WEEK, user="bob")
    shop.fake.renew(bob.id)
    refunded = shop.fake.all("invoice")[0]["id"]
    shop.fake.refund(refunded, 100)
    shop.fake.dispute(shop.fake.all("invoice")[1]["id"])
    bob = await shop.agreement(bob.id)
    agreements, payments = await read(shop.stripe.auditor.agreements(None))
    assert agreements == [bob, ann]
    assert [(one.user, one.refunded, one.disputed) for one in payments] == [
        ("bob", 100, False),
        ("bob", 0, True),
        ("ann", 0, False),
    ]
    assert await read(shop.stripe.auditor.agreements("bob")) == ([bob], payments[:2])
    assert await read(shop.stripe.auditor.agreements("carl")) == ([], [])


async def test_it_says_packs_apart(shop: Shop) -> None:
    for user in ("ann", "bob"):
        page = await shop.page(shop.pack("small"), user=user)
        shop.fake.pay(page.id)
    await shop.subscribed(user="ann")
    shop.fake.refund(shop.fake.get("checkout.session", page.id)["payment_intent"])
    since = now() - timedelta(days=1)
    nobody, everybodys = await read(shop.stripe.auditor.payments(None, since))
    assert [(one.user, one.refunded) for one in everybodys] == [("bob", 499), ("ann", 0)]
    assert nobody == []
    assert await read(shop.stripe.auditor.payments("bob", since)) == ([], everybodys[:1])
    assert await read(shop.stripe.auditor.payments(None, now() + timedelta(days=1))) == ([], [])


async def test_one_that_names_nobody_is_nobodys(shop: Shop, buyers: Buyers) -> None:
    agreement = await shop.subscribed()
    for kind in ("subscription", "customer"):
        for one in shop.fake.account.store.all(kind):
            one["metadata"] = {}
    buyers.customers.clear()
    agreements, payments = await read(shop.stripe.auditor.agreements(None))
    assert [(one.id, one.user) for one in agreements] == [(agreement.id, "")]
    assert payments == []


async def test_a_refund_of_an_earlier_time_is_found(shop: Shop) -> None:
    agreement = await shop.subscribed("pro", Interval.YEAR)
    invoice = shop.fake.account.store.all("invoice")[0]
    invoice["created"] -= int(timedelta(days=100).total_seconds())
    assert await read(shop.stripe.auditor.agreements(None)) == ([agreement], [])
    shop.fake.refund(invoice["id"])
    _, payments = await read(shop.stripe.auditor.agreements(None))
    assert [(one.id, one.refunded) for one in payments] == [(invoice["id"], 14_999)]


async def test_it_says_more_than_a_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAGE_SIZE", 2)
    agreements = [await shop.subscribed(user=f"user{number}") for number in range(5)]
    said, payments = await read(shop.stripe.auditor.agreements(None))
    assert said == agreements[::-1]
    assert len(payments) == 5


async def test_one_agreement_is_read_alone(shop: Shop) -> None:
    agreement = await shop.subscribed()
    facts = await shop.stripe.auditor.agreement(agreement.id)
    assert facts is not None
    assert (facts.agreements[0].state, len(facts.payments)) == (State.ACTIVE, 1)
    assert await shop.stripe.auditor.agreement("sub_nobody_knows") is None
