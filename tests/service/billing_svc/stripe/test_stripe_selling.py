"""Pages where plans and packs are paid for, and payments without one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from cli.local.stripe.cards import ASKS, DECLINES
from runtime.errors import AlreadyExists, FailedPrecondition, NotFound, Unavailable
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.payment import Line, PaymentState
from services.billing_svc.domain.plan import Interval, PlanArticle
from tests.service.billing_svc.stripe.shopping import Buyers, Shop


def near(moment: datetime, expected: datetime) -> bool:
    return abs(moment - expected) < timedelta(minutes=5)


async def test_a_plan_is_sold_for_its_price_to_its_buyer(shop: Shop, buyers: Buyers) -> None:
    page = await shop.page(shop.article("pro", Interval.MONTH))
    session = shop.fake.get("checkout.session", page.id)
    assert (page.url, int(page.expire_time.timestamp())) == (session["url"], session["expires_at"])
    assert session["metadata"] == {"user_id": "ann", "plan": "pro", "interval": "month"}
    assert (session["customer"], session["client_reference_id"]) == (buyers.customers["ann"], "ann")
    assert shop.fake.get("customer", session["customer"])["metadata"] == {"user_id": "ann"}
    assert (session["mode"], session["amount_total"], session["payment_method_collection"]) == (
        "subscription",
        999,
        "always",
    )
    assert shop.stripe.desk.test_mode


async def test_a_buyer_is_one_customer_however_often_they_come(shop: Shop) -> None:
    for slug in ("small", "large"):
        await shop.page(shop.pack(slug))
    assert len(shop.fake.all("customer")) == 1


async def test_the_same_order_is_the_same_page(shop: Shop) -> None:
    order = shop.order(shop.pack("small"))
    first, second = [await shop.stripe.desk.checkout(order) for _ in range(2)]
    assert first == second
    with pytest.raises(AlreadyExists) as caught:
        await shop.stripe.desk.checkout(replace(order, article=shop.pack("large")))
    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_a_customer_who_was_deleted_is_made_anew(shop: Shop, buyers: Buyers) -> None:
    buyers.customers["ann"] = "cus_of_another_account"
    page = await shop.page(shop.pack("small"))
    made = shop.fake.get("checkout.session", page.id)["customer"]
    assert buyers.customers == {"ann": made}
    assert made != "cus_of_another_account"


async def test_a_trial_costs_nothing_at_first(shop: Shop) -> None:
    agreement = await shop.subscribed(trial_days=7)
    assert (agreement.state, agreement.trial) == (State.TRIALING, True)
    assert agreement.period_end - agreement.start == timedelta(days=7)


async def test_a_promotion_code_takes_something_off(shop: Shop) -> None:
    page = await shop.page(shop.article("pro", Interval.MONTH), promo_code="welcome50")
    assert shop.fake.get("checkout.session", page.id)["amount_total"] == 499


async def test_a_promotion_code_that_nobody_made_is_not_found(shop: Shop) -> None:
    with pytest.raises(NotFound) as caught:
        await shop.page(shop.pack("small"), promo_code="NONE")
    assert caught.value.reason == "PROMO_CODE_NOT_FOUND"


async def test_what_stripe_does_not_sell_is_not_found(shop: Shop) -> None:
    plan = shop.article("pro", Interval.MONTH)
    with pytest.raises(NotFound) as caught:
        await shop.page(PlanArticle(plan.plan, replace(plan.price, ids={})))
    assert caught.value.reason == "PLAN_NOT_FOUND"
    with pytest.raises(NotFound) as caught:
        await shop.page(replace(shop.pack("small"), ids={}))
    assert caught.value.reason == "PACK_NOT_FOUND"


async def test_a_page_is_closed_unless_it_was_paid(shop: Shop) -> None:
    open_page, paid_page = await shop.page(shop.pack("small")), await shop.page(shop.pack("small"))
    shop.fake.pay(paid_page.id)
    for page in (open_page.id, open_page.id, paid_page.id, "cs_nobody_knows"):
        await shop.stripe.desk.close(page)
    closed = [shop.fake.get("checkout.session", page.id)["status"] for page in (open_page, paid_page)]
    assert closed == ["expired", "complete"]


async def test_the_portal_is_for_who_has_paid_once(shop: Shop, buyers: Buyers) -> None:
    await shop.page(shop.pack("small"))
    assert (await shop.stripe.desk.portal("ann", "https://app.invalid/")).startswith(shop.fake.url)
    buyers.customers["eve"] = "cus_of_another_account"
    for user in ("bob", "eve"):
        with pytest.raises(FailedPrecondition) as caught:
            await shop.stripe.desk.portal(user, "https://app.invalid/")
        assert caught.value.reason == "NO_CUSTOMER"


async def test_a_pack_is_bought_with_what_paid_for_the_plan(shop: Shop) -> None:
    await shop.subscribed()
    facts = await shop.stripe.desk.buy("ann", shop.pack("small"), key="k1")
    (payment,) = facts.payments
    assert (payment.state, payment.cents, payment.user) == (PaymentState.PAID, 499, "ann")
    assert payment.lines == (Line("pack", "packs/small", 499, credits=100),)


async def test_a_pack_that_was_paid_on_a_page_pays_for_the_next_one(shop: Shop) -> None:
    page = await shop.page(shop.pack("small"))
    shop.fake.pay(page.id)
    facts = await shop.stripe.desk.buy("ann", shop.pack("large"), key="k1")
    assert [payment.cents for payment in facts.payments] == [4999]


async def test_the_same_purchase_is_charged_once(shop: Shop) -> None:
    await shop.subscribed()
    first, second = [await shop.stripe.desk.buy("ann", shop.pack("small"), key="k1") for _ in range(2)]
    assert first == second
    assert len([one for one in shop.fake.all("payment_intent") if one["metadata"]]) == 1
    with pytest.raises(AlreadyExists):
        await shop.stripe.desk.buy("ann", shop.pack("large"), key="k1")


async def test_the_same_purchase_twice_at_once_is_charged_once(shop: Shop) -> None:
    await shop.subscribed()
    shop.fake.faults(api_delay_ms=50)
    both = [shop.stripe.desk.buy("ann", shop.pack("small"), key="k1") for _ in range(2)]
    first, second = await asyncio.gather(*both)
    assert first == second
    assert len([one for one in shop.fake.all("payment_intent") if one["metadata"]]) == 1


async def test_a_charge_whose_answer_was_lost_is_not_made_again(shop: Shop) -> None:
    await shop.subscribed()
    shop.fake.faults(api_lose=2)
    facts = await shop.stripe.desk.buy("ann", shop.pack("small"), key="k1")
    charged = [one["id"] for one in shop.fake.all("payment_intent") if one["metadata"].get("pack")]
    assert charged == [payment.id for payment in facts.payments]


async def test_who_has_no_way_of_paying_buys_on_a_page(shop: Shop) -> None:
    await shop.page(shop.pack("small"), user="bob")
    for user in ("ann", "bob"):
        with pytest.raises(FailedPrecondition) as caught:
            await shop.stripe.desk.buy(user, shop.pack("small"), key="k1")
        assert caught.value.reason == "NO_PAYMENT_METHOD"


@pytest.mark.parametrize(("card", "reason"), [(DECLINES, "PAYMENT_DECLINED"), (ASKS, "AUTHENTICATION_REQUIRED")])
async def test_a_bank_may_decline(shop: Shop, buyers: Buyers, card: str, reason: str) -> None:
    await shop.subscribed()
    shop.fake.card(buyers.customers["ann"], card)
    for _ in range(2):
        with pytest.raises(FailedPrecondition) as caught:
            await shop.stripe.desk.buy("ann", shop.pack("small"), key="k1")
        assert caught.value.reason == reason


async def test_a_stripe_that_does_not_answer_is_unavailable(shop: Shop) -> None:
    shop.fake.faults(api_refuse=3)
    with pytest.raises(Unavailable) as caught:
        await shop.page(shop.pack("small"))
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"
