from typing import Any

import pytest
import stripe

from cli.local.stripe.cards import ASKS, DECLINES
from tests.service.pretend_stripe.endpoint import Endpoint
from tests.service.pretend_stripe.shop import DAY, Shop


async def test_a_paid_session_is_an_active_subscription_with_a_paid_invoice(shop: Shop) -> None:
    customer = await shop.customer()
    session = await shop.session("price_pro_month", customer, subscription_data={"metadata": {"user_id": "ann"}})
    assert (session.status, session.amount_total, session.url) == ("open", 999, f"{shop.fake.url}/pay/{session.id}")
    assert shop.fake.pay(session.id) is None
    found = await shop.client.v1.subscriptions.list_async(
        {
            "customer": customer,
            "status": "all",
            "expand": ["data.latest_invoice.payments", "data.default_payment_method"],
        }
    )
    (subscription,) = found.data
    assert (subscription.status, subscription.metadata.to_dict()) == ("active", {"user_id": "ann"})
    item = subscription["items"].data[0]
    assert (item.price.id, item.price.unit_amount, item.plan.interval) == ("price_pro_month", 999, "month")
    assert item.current_period_start == subscription.start_date < item.current_period_end
    invoice = subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert invoice.payments is not None
    assert invoice.parent is not None
    assert invoice.parent.subscription_details is not None
    assert (invoice.status, invoice.total, invoice.amount_paid) == ("paid", 999, 999)
    assert (invoice.billing_reason, invoice.attempt_count) == ("subscription_create", 1)
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert invoice.payments.data[0].payment.type == "payment_intent"
    method = subscription.default_payment_method
    assert isinstance(method, stripe.PaymentMethod)
    assert method.customer == customer
    paid = shop.fake.get("checkout.session", session.id)
    assert (paid["status"], paid["payment_status"], paid["url"]) == ("complete", "paid", None)


async def test_what_happened_is_told_in_its_order(shop: Shop, hook: Endpoint) -> None:
    await shop.subscribed()
    await shop.fake.delivered()
    assert hook.types == [
        "customer.created",
        "payment_method.attached",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice_payment.paid",
        "invoice.paid",
        "invoice.payment_succeeded",
        "customer.subscription.updated",
        "checkout.session.completed",
    ]
    created = hook.taken[hook.types.index("customer.subscription.created")]
    updated = hook.taken[hook.types.index("customer.subscription.updated")]
    # Each body says what was so at its moment.
    assert (created["data"]["object"]["status"], updated["data"]["object"]["status"]) == ("incomplete", "active")
    assert updated["data"]["previous_attributes"] == {"status": "incomplete"}
    assert created["api_version"] == "2026-10-28.endive"


async def test_a_pack_is_paid_once_and_its_metadata_reaches_payment_and_charge(shop: Shop) -> None:
    customer = await shop.customer()
    data = {"metadata": {"user_id": "ann", "pack": "small"}, "setup_future_usage": "off_session"}
    session = await shop.session("price_credits_small", customer, payment_intent_data=data)
    assert shop.fake.pay(session.id) is None
    payment = shop.fake.get("checkout.session", session.id)["payment_intent"]
    intent = await shop.client.v1.payment_intents.retrieve_async(payment, {"expand": ["latest_charge"]})
    assert (intent.status, intent.amount, intent.metadata.to_dict()) == ("succeeded", 499, data["metadata"])
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.paid, charge.payment_intent, charge.metadata.to_dict()) == (True, payment, data["metadata"])
    methods = await shop.client.v1.payment_methods.list_async({"customer": customer})
    assert [method.card.last4 for method in methods.data if method.card] == ["4242"]


async def test_a_declined_card_buys_nothing_and_leaves_the_page_open(shop: Shop, hook: Endpoint) -> None:
    session = await shop.session("price_pro_month")
    assert shop.fake.decline(session.id) == "generic_decline"
    await shop.fake.delivered()
    assert hook.types[-3:] == ["payment_intent.created", "charge.failed", "payment_intent.payment_failed"]
    assert shop.fake.all("subscription") == []
    assert shop.fake.get("checkout.session", session.id)["status"] == "open"
    assert shop.fake.pay(session.id, ASKS) is None


async def test_a_trial_costs_nothing_until_it_ends(shop: Shop) -> None:
    session = await shop.session("price_pro_month", subscription_data={"trial_period_days": 7})
    assert session.amount_total == 0
    assert shop.fake.pay(session.id) is None
    name = shop.fake.get("checkout.session", session.id)["subscription"]
    tried = shop.fake.get("subscription", name)
    assert (tried["status"], tried["trial_end"]) == ("trialing", tried["start_date"] + 7 * DAY)
    assert (shop.item(name)["current_period_end"], shop.latest(name)["total"]) == (tried["trial_end"], 0)
    assert shop.fake.get("checkout.session", session.id)["payment_status"] == "no_payment_required"
    shop.fake.advance(7 * DAY)
    assert (shop.fake.get("subscription", name)["status"], shop.latest(name)["amount_paid"]) == ("active", 999)


async def test_a_trial_whose_card_fails_ends_past_due(shop: Shop) -> None:
    session = await shop.session("price_pro_month", subscription_data={"trial_period_days": 7})
    assert shop.fake.pay(session.id, DECLINES) is None
    shop.fake.advance(7 * DAY)
    name = shop.fake.get("checkout.session", session.id)["subscription"]
    assert (shop.fake.get("subscription", name)["status"], shop.latest(name)["status"]) == ("past_due", "open")


async def test_a_code_for_once_halves_the_first_invoice_alone(shop: Shop) -> None:
    codes = await shop.client.v1.promotion_codes.list_async({"code": "welcome50", "active": True})
    session = await shop.session("price_pro_month", discounts=[{"promotion_code": codes.data[0].id}])
    assert (session.amount_subtotal, session.amount_total) == (999, 499)
    shop.fake.pay(session.id)
    name = str(shop.fake.get("checkout.session", session.id)["subscription"])
    assert (shop.latest(name)["subtotal"], shop.latest(name)["total"]) == (999, 499)
    shop.fake.renew(name)
    assert shop.latest(name)["total"] == 999


async def test_a_code_for_some_months_ends_with_them(shop: Shop) -> None:
    name = await shop.subscribed(discounts=[{"promotion_code": "promo_friend20"}])
    totals = [shop.latest(name)["total"]]
    for _ in range(3):
        shop.fake.advance(31 * DAY)
        totals.append(shop.latest(name)["total"])
    assert totals == [799, 799, 799, 999]


async def test_a_code_that_is_used_up_is_refused(shop: Shop) -> None:
    coupon = await shop.client.v1.coupons.create_async({"percent_off": 100, "duration": "once"})
    code = await shop.client.v1.promotion_codes.create_async(
        {"code": "GIFT", "promotion": {"type": "coupon", "coupon": coupon.id}, "max_redemptions": 1}
    )
    name = await shop.subscribed(discounts=[{"promotion_code": code.id}])
    assert (shop.latest(name)["total"], shop.latest(name)["status"]) == (0, "paid")
    assert (await shop.client.v1.promotion_codes.list_async({"code": "GIFT", "active": True})).data == []
    with pytest.raises(stripe.InvalidRequestError, match="not active"):
        await shop.session("price_pro_month", discounts=[{"promotion_code": code.id}])


async def test_a_session_expires_by_itself_or_when_it_is_told_to(shop: Shop, hook: Endpoint) -> None:
    told, forgotten = await shop.session("price_pro_month"), await shop.session("price_pro_month")
    await shop.client.v1.checkout.sessions.expire_async(told.id)
    shop.fake.advance(DAY + 60)
    await shop.fake.delivered()
    assert hook.types.count("checkout.session.expired") == 2
    assert shop.fake.get("checkout.session", forgotten.id)["status"] == "expired"
    with pytest.raises(stripe.InvalidRequestError, match="open"):
        await shop.client.v1.checkout.sessions.expire_async(told.id)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"mode": "payment"}, "mode"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"cancel_url": "/plans"}, "cancel_url"),
        ({"line_items": []}, "line_items"),
        ({"payment_intent_data": {"metadata": {"a": "b"}}}, "payment_intent_data"),
        ({"expires_at": 1}, "expires_at"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_name(shop: Shop, params: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await shop.session("price_pro_month", **params)
    assert (refused.value.http_status, refused.value.param) == (400, param)
