"""Changes of subscriptions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cli.local.stripe.cards import DECLINES
from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.facts import Facts
from services.billing_svc.domain.payment import PaymentState
from services.billing_svc.domain.plan import Interval
from services.billing_svc.payments.provider import Preview
from tests.service.billing_svc.stripe.shopping import Buyers, Shop, now


def only(facts: Facts) -> Agreement:
    (agreement,) = facts.agreements
    return agreement


async def test_an_upgrade_is_in_force_at_once_and_costs_what_was_foretold(shop: Shop) -> None:
    before, better = await shop.subscribed("pro"), shop.article("max", Interval.MONTH)
    preview = await shop.stripe.desk.preview(before, better, at_end=False)
    facts = await shop.stripe.desk.change(before, better, at_end=False, key="k1")
    assert only(facts) == replace(before, plan="max")
    (payment,) = facts.payments
    assert (payment.state, payment.cents) == (PaymentState.PAID, preview.due)
    assert [(line.article, line.proration, line.credits) for line in payment.lines] == [
        ("plans/pro", True, 0),
        ("plans/max", True, 0),
    ]
    assert (preview.credited, preview.currency) == (-payment.lines[0].cents, "usd")


async def test_the_same_upgrade_is_charged_once(shop: Shop) -> None:
    before, better = await shop.subscribed("pro"), shop.article("max", Interval.YEAR)
    first, second = [await shop.stripe.desk.change(before, better, at_end=False, key="k1") for _ in range(2)]
    assert first == second
    assert len(shop.fake.all("invoice")) == 2


async def test_an_upgrade_that_the_bank_declines_changes_nothing(shop: Shop, buyers: Buyers) -> None:
    before = await shop.subscribed("pro")
    worse = shop.article("creator", Interval.WEEK)
    planned = only(await shop.stripe.desk.change(before, worse, at_end=True, key="k1"))
    shop.fake.card(buyers.customers["ann"], DECLINES)
    with pytest.raises(FailedPrecondition) as caught:
        await shop.stripe.desk.change(before, shop.article("max", Interval.MONTH), at_end=False, key="k2")
    assert caught.value.reason == "PAYMENT_DECLINED"
    assert await shop.agreement(before.id) == planned


async def test_a_downgrade_waits_for_the_end_of_the_period(shop: Shop) -> None:
    before, worse = await shop.subscribed("pro"), shop.article("creator", Interval.WEEK)
    preview = await shop.stripe.desk.preview(before, worse, at_end=True)
    assert preview == Preview(before.period_end, due=0, credited=0, currency="usd")
    first, second = [only(await shop.stripe.desk.change(before, worse, at_end=True, key="k1")) for _ in range(2)]
    assert first == second == replace(before, next_plan="creator", next_interval=Interval.WEEK)
    shop.fake.advance(3600)
    shop.fake.renew(before.id)
    after = await shop.agreement(before.id)
    assert (after.plan, after.interval, after.next_plan) == ("creator", Interval.WEEK, None)


async def test_a_planned_change_is_replaced_by_another_and_taken_back(shop: Shop) -> None:
    before = await shop.subscribed("pro")
    plans = [shop.article("creator", Interval.WEEK), shop.article("creator", Interval.YEAR)]
    for number, article in enumerate(plans):
        after = only(await shop.stripe.desk.change(before, article, at_end=True, key=f"k{number}"))
        assert after == replace(before, next_plan="creator", next_interval=article.price.interval)
    has = shop.article("pro", Interval.MONTH)
    for _ in range(2):
        assert only(await shop.stripe.desk.change(before, has, at_end=False, key="k9")) == before


async def test_an_upgrade_takes_a_planned_change_back(shop: Shop) -> None:
    before = await shop.subscribed("pro")
    await shop.stripe.desk.change(before, shop.article("creator", Interval.WEEK), at_end=True, key="k1")
    facts = await shop.stripe.desk.change(before, shop.article("max", Interval.MONTH), at_end=False, key="k2")
    assert only(facts) == replace(before, plan="max")


async def test_a_discount_outlives_a_planned_change(shop: Shop) -> None:
    shop.fake.coupon("HALF", percent_off=50, duration="forever")
    before = await shop.subscribed("pro", promo_code="HALF")
    await shop.stripe.desk.change(before, shop.article("creator", Interval.YEAR), at_end=True, key="k1")
    shop.fake.advance(3600)
    shop.fake.renew(before.id)
    payments = [one async for one in shop.stripe.auditor.agreements("ann")]
    assert [(one.cents, one.lines[0].article) for facts in payments for one in facts.payments] == [
        (4999, "plans/creator"),
        (499, "plans/pro"),
    ]


async def test_a_trial_that_is_to_change_stays_one_until_its_end(shop: Shop) -> None:
    before = await shop.subscribed("max", trial_days=7)
    facts = await shop.stripe.desk.change(before, shop.article("pro", Interval.MONTH), at_end=True, key="k1")
    assert only(facts) == replace(before, next_plan="pro", next_interval=Interval.MONTH)


async def test_cancelling_lasts_until_the_period_ends_and_can_be_taken_back(shop: Shop) -> None:
    before = await shop.subscribed()
    await shop.stripe.desk.change(before, shop.article("creator", Interval.WEEK), at_end=True, key="k1")
    for _ in range(2):
        facts = await shop.stripe.desk.cancel(before, immediately=False, key="k2")
        assert only(facts) == replace(before, state=State.CANCELLED)
    for _ in range(2):
        assert only(await shop.stripe.desk.resume(before, key="k3")) == before
    await shop.stripe.desk.cancel(before, immediately=False, key="k4")
    shop.fake.renew(before.id)
    assert (await shop.agreement(before.id)).state is State.EXPIRED


async def test_cancelling_at_once_ends_it_without_money_back(shop: Shop) -> None:
    before = await shop.subscribed()
    for key in ("k1", "k1", "k2"):
        facts = await shop.stripe.desk.cancel(before, immediately=True, key=key)
        assert only(facts).state is State.EXPIRED
        assert [payment.returned for payment in facts.payments] == [0]
    with pytest.raises(FailedPrecondition) as caught:
        await shop.stripe.desk.resume(before, key="k3")
    assert caught.value.reason == "SUBSCRIPTION_ENDED"


async def test_a_pause_lasts_until_it_is_resumed(shop: Shop) -> None:
    before = await shop.subscribed()
    resumes = (now() + timedelta(days=90)).replace(microsecond=0)
    for _ in range(2):
        facts = await shop.stripe.desk.pause(before, resumes, key="k1")
        assert only(facts) == replace(before, state=State.PAUSED, resume_time=resumes)
    for _ in range(2):
        assert only(await shop.stripe.desk.resume(before, key="k2")) == before


async def test_a_paused_period_is_not_free_when_it_is_resumed(shop: Shop) -> None:
    before = await shop.subscribed()
    await shop.stripe.desk.pause(before, None, key="k1")
    shop.fake.renew(before.id)
    paused = await shop.agreement(before.id)
    assert paused.state is State.PAUSED
    assert not paused.in_force(now() + timedelta(seconds=1))
    for _ in range(2):
        facts = await shop.stripe.desk.resume(before, key="k2")
        (payment,) = facts.payments
        assert (payment.state, payment.cents, payment.lines[0].credits) == (PaymentState.PAID, 999, 80)
        assert only(facts).state is State.ACTIVE
    assert [one["status"] for one in shop.fake.all("invoice")] == ["paid", "void", "paid"]


async def test_one_that_goes_on_by_itself_gives_nothing_before_it_is_paid(shop: Shop) -> None:
    before = await shop.subscribed("pro", Interval.WEEK)
    await shop.stripe.desk.pause(before, before.period_end + timedelta(days=1), key="k1")
    shop.fake.advance(timedelta(days=9).total_seconds())
    after = await shop.agreement(before.id)
    assert after == replace(before, state=State.PAUSED, resume_time=before.period_end + timedelta(days=7))
