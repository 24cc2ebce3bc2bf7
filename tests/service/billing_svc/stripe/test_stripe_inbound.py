"""What comes of what Stripe sends."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from cli.local.stripe.delivering import signature
from cli.local.stripe.pretend import SECRET, Pretend
from runtime.errors import InvalidArgument, Unauthenticated, Unavailable
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.facts import Facts, NotOurs
from services.billing_svc.domain.payment import PaymentState
from services.billing_svc.domain.plan import Catalogue, Interval
from services.billing_svc.payments.provider import Delivery
from services.billing_svc.payments.stripe import StripeInbound
from services.billing_svc.payments.stripe.client import api
from services.billing_svc.payments.stripe.reading import Reading
from tests.service.billing_svc.stripe.shopping import Buyers, Shop, now

NOTHING = "Nothing that is sold here depends on it."


async def test_every_event_of_a_checkout_says_the_same(shop: Shop) -> None:
    page = await shop.page(shop.article("pro", Interval.MONTH))
    shop.fake.pay(page.id)
    told = await shop.told()
    facts = told["checkout.session.completed"]
    assert isinstance(facts, Facts)
    assert [(one.user, one.plan, one.state) for one in facts.agreements] == [("ann", "pro", State.ACTIVE)]
    assert [(one.cents, one.state, one.lines[0].credits) for one in facts.payments] == [(999, PaymentState.PAID, 80)]
    kinds = ("customer.subscription.created", "invoice.paid", "payment_intent.succeeded", "charge.succeeded")
    assert [told[kind] for kind in kinds] == [facts] * 4
    assert told["payment_method.attached"] == NOTHING


async def test_thin_events_say_the_same(shop: Shop) -> None:
    shop.fake.faults(thin=True)
    page = await shop.page(shop.article("pro", Interval.MONTH))
    shop.fake.pay(page.id)
    told = await shop.told()
    assert isinstance(told["checkout.session.completed"], Facts)
    assert told["customer.subscription.created"] == told["invoice.paid"] == told["checkout.session.completed"]


async def test_a_delivery_names_what_it_is_about(shop: Shop) -> None:
    agreement = await shop.subscribed()
    shop.fake.renew(agreement.id)
    for delivery in await shop.news():
        if delivery.event_type == "customer.subscription.updated":
            assert {agreement.id, agreement.customer} <= set(delivery.subjects)
            assert abs(delivery.event_time - now()) < timedelta(minutes=5)
            assert delivery.event_id.startswith("evt_")


async def test_a_renewal_that_fails_has_a_grace_and_is_told_as_failed(shop: Shop) -> None:
    agreement = await shop.subscribed("pro", Interval.WEEK)
    shop.fake.fail(agreement.id, times=2)
    shop.fake.renew(agreement.id)
    after = await shop.agreement(agreement.id)
    assert (after.state, after.grace_end) == (State.PAST_DUE, after.period_end + shop.plans.grace)
    failed = [one for one in (await shop.payments()).values() if one.failed]
    assert [(one.state, one.cents) for one in failed] == [(PaymentState.OPEN, 399)]


async def test_the_grace_is_not_given_anew_with_the_next_unpaid_week(shop: Shop) -> None:
    agreement = await shop.subscribed("pro", Interval.WEEK)
    shop.fake.fail(agreement.id, times=100)
    shop.fake.renew(agreement.id)
    first = await shop.agreement(agreement.id)
    shop.fake.renew(agreement.id)
    second = await shop.agreement(agreement.id)
    assert (second.state, second.grace_end) == (State.PAST_DUE, first.grace_end)


async def test_a_payment_after_all_ends_the_grace(shop: Shop) -> None:
    agreement = await shop.subscribed("pro", Interval.WEEK)
    shop.fake.fail(agreement.id)
    shop.fake.renew(agreement.id)
    assert (await shop.agreement(agreement.id)).state is State.PAST_DUE
    shop.fake.advance(timedelta(days=5).total_seconds())
    after = await shop.agreement(agreement.id)
    assert (after.state, after.grace_end) == (State.ACTIVE, None)


async def test_a_refund_and_a_chargeback_are_told_of_the_payment(shop: Shop) -> None:
    agreement = await shop.subscribed()
    invoice = shop.fake.all("invoice")[0]["id"]
    await shop.news()
    shop.fake.refund(invoice, 300)
    assert [(one.id, one.refunded, one.disputed) for one in (await shop.payments()).values()] == [(invoice, 300, False)]
    shop.fake.renew(agreement.id)
    renewal = shop.fake.all("invoice")[0]["id"]
    await shop.news()
    dispute = shop.fake.dispute(renewal)
    assert [(one.id, one.returned, one.disputed) for one in (await shop.payments()).values()] == [(renewal, 999, True)]
    shop.fake.close_dispute(dispute["id"], won=True)
    assert [(one.id, one.returned, one.disputed) for one in (await shop.payments()).values()] == [(renewal, 0, False)]


async def test_a_pack_is_paid_and_given_back(shop: Shop) -> None:
    page = await shop.page(shop.pack("small"))
    shop.fake.pay(page.id)
    intent = shop.fake.get("checkout.session", page.id)["payment_intent"]
    paid = (await shop.payments())[intent]
    assert (paid.user, paid.cents, paid.agreement, paid.lines[0].credits) == ("ann", 499, None, 100)
    shop.fake.refund(intent)
    assert (await shop.payments())[intent].refunded == 499


async def test_a_pack_that_a_code_gives_whole_is_given(shop: Shop) -> None:
    shop.fake.coupon("GIFT", percent_off=100)
    page = await shop.page(shop.pack("small"), promo_code="GIFT")
    shop.fake.pay(page.id)
    given = (await shop.payments())[page.id]
    assert (given.cents, given.state, given.lines[0].credits) == (0, PaymentState.PAID, 100)


async def test_a_page_that_was_not_paid_says_nothing(shop: Shop) -> None:
    page = await shop.page(shop.article("pro", Interval.MONTH))
    shop.fake.expire(page.id)
    assert await shop.told() == {
        "customer.created": NOTHING,
        "checkout.session.expired": "Nothing was bought in the checkout.",
    }


async def test_what_was_deleted_ends(shop: Shop) -> None:
    agreement = await shop.subscribed()
    shop.fake.cancel(agreement.id)
    facts = (await shop.told())["customer.subscription.deleted"]
    assert isinstance(facts, Facts)
    assert [one.state for one in facts.agreements] == [State.EXPIRED]


async def test_a_schedule_tells_its_subscription(shop: Shop) -> None:
    agreement = await shop.subscribed()
    await shop.stripe.desk.change(agreement, shop.article("creator", Interval.WEEK), at_end=True, key="k1")
    facts = (await shop.told())["subscription_schedule.updated"]
    assert isinstance(facts, Facts)
    assert [one.next_plan for one in facts.agreements] == ["creator"]


def delivery(shop: Shop, said: object, secret: str = SECRET) -> Delivery:
    body = json.dumps(said)
    header = signature(body, secret, int(now().timestamp()))
    return shop.stripe.inbound.verified({"stripe-signature": header}, body.encode(), now())


def event(kind: str, name: str, **others: object) -> dict[str, object]:
    about = {"id": name, "object": kind}
    return {"id": "evt_1", "object": "event", "type": f"{kind}.x", "created": 1, "data": {"object": about}} | others


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (event("subscription", "sub_1"), "Stripe does not know the object any more."),
        (event("invoice", "in_1"), "Stripe does not know the object any more."),
        (event("charge", "ch_1"), "Stripe does not know the object any more."),
        (event("checkout.session", "cs_1"), "Stripe does not know the object any more."),
        (event("subscription_schedule", "sub_sched_1"), "Stripe does not know the object any more."),
        (event("invoice_payment", "inpay_1"), NOTHING),
        (event("galaxy", "gal_1"), NOTHING),
        (event("invoice", ""), "It is about nothing that can be read again."),
        (event("subscription", "sub_1", livemode=True), "It is of Stripe's live mode."),
    ],
)
async def test_what_concerns_nobody_here_says_why(shop: Shop, said: dict[str, object], why: str) -> None:
    with pytest.raises(NotOurs, match=why):
        await shop.stripe.inbound.facts(delivery(shop, said))


async def test_test_mode_is_nothing_to_a_live_environment(fake: Pretend, plans: Catalogue, buyers: Buyers) -> None:
    async with api(fake.key, fake.url) as calls:
        inbound = StripeInbound(calls, Reading(calls, plans, buyers), [SECRET], "live")
        with pytest.raises(NotOurs, match="test mode"):
            await inbound.facts(Delivery("", "", now(), json.dumps(event("x", "y", livemode=False)).encode()))


async def test_what_is_sold_beside_us_is_not_ours(shop: Shop, buyers: Buyers) -> None:
    page = await shop.page(shop.article("pro", Interval.MONTH))
    shop.fake.pay(page.id)
    for customer in shop.fake.account.store.all("customer"):
        customer["metadata"] = {}
    for subscription in shop.fake.account.store.all("subscription"):
        subscription["metadata"] = {}
    buyers.customers.clear()
    told = await shop.told()
    assert told["customer.subscription.created"] == told["invoice.paid"] == "It names no user of ours."


async def test_the_customer_says_whose_it_is_where_the_subscription_does_not(shop: Shop, buyers: Buyers) -> None:
    agreement = await shop.subscribed()
    for subscription in shop.fake.account.store.all("subscription"):
        subscription["metadata"] = {}
    assert (await shop.agreement(agreement.id)).user == "ann"
    buyers.customers.clear()
    assert (await shop.agreement(agreement.id)).user == "ann"


async def test_a_stripe_that_is_down_is_worth_another_try(shop: Shop) -> None:
    agreement = await shop.subscribed()
    shop.fake.faults(api_refuse=3)
    with pytest.raises(Unavailable):
        await shop.stripe.inbound.facts(delivery(shop, event("subscription", agreement.id)))


async def test_a_secret_that_is_being_replaced_still_counts_and_no_other_does(shop: Shop) -> None:
    assert delivery(shop, event("x", "y"), "whsec_old").event_id == "evt_1"
    with pytest.raises(Unauthenticated):
        delivery(shop, event("x", "y"), "whsec_else")
    with pytest.raises(InvalidArgument):
        delivery(shop, [])
