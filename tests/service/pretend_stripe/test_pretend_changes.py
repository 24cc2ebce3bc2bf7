from typing import Any

import pytest
import stripe

from cli.local.stripe.cards import ASKS, DECLINES
from cli.local.stripe.periods import share
from tests.service.pretend_stripe.shop import DAY, Shop, lines


async def test_an_upgrade_charges_the_rest_of_the_period_by_the_second(shop: Shop) -> None:
    name = await shop.subscribed()
    start, end = (shop.item(name)[f"current_period_{edge}"] for edge in ("start", "end"))
    shop.fake.advance(10 * DAY)
    moment = start + 10 * DAY
    changed = await shop.change(name, "price_max_month", proration_behavior="always_invoice", proration_date=moment)
    back, more = share(999, end - moment, end - start), share(1999, end - moment, end - start)
    assert lines(shop.latest(name)) == [("price_pro_month", -back, True), ("price_max_month", more, True)]
    invoice = shop.latest(name)
    assert (invoice["status"], invoice["total"], invoice["billing_reason"]) == (
        "paid",
        more - back,
        "subscription_update",
    )
    assert (changed.status, changed["items"].data[0].current_period_end) == ("active", end)


async def test_a_proration_that_is_not_invoiced_waits_for_the_renewal(shop: Shop) -> None:
    name = await shop.subscribed()
    start = shop.item(name)["current_period_start"]
    await shop.change(name, "price_max_month", proration_date=start)
    assert shop.latest(name)["total"] == 999
    shop.fake.renew(name)
    assert [amount for _, amount, _ in lines(shop.latest(name))] == [-999, 1999, 1999]


async def test_without_proration_the_next_period_costs_the_new_price(shop: Shop) -> None:
    name = await shop.subscribed()
    await shop.change(name, "price_max_month", proration_behavior="none")
    assert shop.latest(name)["total"] == 999
    shop.fake.renew(name)
    assert lines(shop.latest(name)) == [("price_max_month", 1999, False)]


async def test_another_interval_begins_a_new_period_now(shop: Shop) -> None:
    name = await shop.subscribed()
    begun = shop.item(name)["current_period_start"]
    shop.fake.advance(5 * DAY)
    await shop.change(name, "price_max_year", proration_behavior="always_invoice")
    item, invoice = shop.item(name), shop.latest(name)
    assert item["current_period_start"] >= begun + 5 * DAY
    assert item["current_period_end"] - item["current_period_start"] >= 365 * DAY
    (back, whole) = lines(invoice)
    assert (back[0], back[1] < 0, back[2], whole) == ("price_pro_month", True, True, ("price_max_year", 24_999, False))
    assert shop.fake.get("subscription", name)["billing_cycle_anchor"] == item["current_period_start"]


async def test_a_downgrade_now_leaves_the_rest_in_the_buyers_favour(shop: Shop) -> None:
    customer = await shop.customer()
    name = await shop.subscribed("price_max_month", customer)
    start = shop.item(name)["current_period_start"]
    await shop.change(name, "price_pro_month", proration_behavior="always_invoice", proration_date=start)
    assert (shop.latest(name)["total"], shop.latest(name)["amount_due"], shop.latest(name)["status"]) == (
        -1000,
        0,
        "paid",
    )
    assert shop.fake.get("customer", customer)["balance"] == -1000
    shop.fake.renew(name)
    assert (shop.latest(name)["starting_balance"], shop.latest(name)["amount_due"]) == (-1000, 0)
    assert shop.fake.get("customer", customer)["balance"] == -1


async def test_of_a_half_price_only_the_half_is_given_back(shop: Shop) -> None:
    name = await shop.subscribed(discounts=[{"promotion_code": "promo_welcome50"}])
    start = shop.item(name)["current_period_start"]
    await shop.change(name, "price_max_month", proration_behavior="always_invoice", proration_date=start)
    assert [amount for _, amount, _ in lines(shop.latest(name))] == [-499, 1999]


async def test_an_upgrade_that_is_declined_changes_nothing(shop: Shop) -> None:
    customer = await shop.customer()
    name = await shop.subscribed(customer=customer)
    shop.fake.card(customer, DECLINES)
    before = shop.fake.get("subscription", name)
    with pytest.raises(stripe.CardError) as declined:
        await shop.change(
            name, "price_max_month", proration_behavior="always_invoice", payment_behavior="error_if_incomplete"
        )
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert shop.fake.get("subscription", name) == before
    assert len(shop.fake.all("invoice")) == 1


async def test_an_upgrade_that_may_stay_unpaid_is_past_due(shop: Shop) -> None:
    customer = await shop.customer()
    name = await shop.subscribed(customer=customer)
    shop.fake.card(customer, ASKS)
    changed = await shop.change(name, "price_max_month", proration_behavior="always_invoice")
    assert (changed.status, shop.latest(name)["status"]) == ("past_due", "open")


async def test_an_item_without_an_id_is_one_more_item(shop: Shop) -> None:
    name = await shop.subscribed()
    changed = await shop.client.v1.subscriptions.update_async(name, {"items": [{"price": "price_max_month"}]})
    assert [item.price.id for item in changed["items"].data] == ["price_pro_month", "price_max_month"]


async def test_a_preview_says_what_a_change_then_costs_and_keeps_nothing(shop: Shop) -> None:
    name = await shop.subscribed()
    before = shop.fake.get("subscription", name), len(shop.fake.all("invoice")), len(shop.fake.all("event"))
    moment = shop.item(name)["current_period_start"] + DAY
    how: Any = {"proration_behavior": "always_invoice", "proration_date": moment}
    details: Any = {"items": [{"id": shop.item(name)["id"], "price": "price_max_month"}], **how}
    preview = await shop.client.v1.invoices.create_preview_async(
        {"subscription": name, "subscription_details": details}
    )
    assert (shop.fake.get("subscription", name), len(shop.fake.all("invoice")), len(shop.fake.all("event"))) == before
    assert preview.id.startswith("upcoming_")
    shop.fake.advance(2 * DAY)
    await shop.change(name, "price_max_month", **how)
    assert shop.latest(name)["total"] == preview.total > 0
    renewal = await shop.client.v1.invoices.create_preview_async({"subscription": name})
    assert (renewal.total, renewal.lines.data[0].period.start) == (1999, shop.item(name)["current_period_end"])


async def test_a_cancellation_comes_at_the_end_of_the_period_and_can_be_taken_back(shop: Shop) -> None:
    name = await shop.subscribed()
    end = shop.item(name)["current_period_end"]
    update = shop.client.v1.subscriptions.update_async
    cancelled = await update(name, {"cancel_at_period_end": True})
    assert (cancelled.status, cancelled.cancel_at, cancelled.cancel_at_period_end) == ("active", end, True)
    kept = await update(name, {"cancel_at_period_end": False})
    assert (kept.cancel_at, kept.canceled_at, kept.cancel_at_period_end) == (None, None, False)
    await update(name, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        await shop.client.v1.invoices.create_preview_async({"subscription": name})
    shop.fake.advance(32 * DAY)
    ended = shop.fake.get("subscription", name)
    assert (ended["status"], ended["ended_at"], len(shop.fake.all("invoice"))) == ("canceled", end, 1)


async def test_a_subscription_that_ended_stays_so(shop: Shop) -> None:
    name = await shop.subscribed()
    ended = await shop.client.v1.subscriptions.cancel_async(name)
    assert (ended.status, ended.ended_at is not None) == ("canceled", True)
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await shop.client.v1.subscriptions.cancel_async(name)
    assert missing.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription"):
        await shop.change(name, "price_max_month")
    assert (await shop.client.v1.subscriptions.list_async()).data == []
    assert len((await shop.client.v1.subscriptions.list_async({"status": "all"})).data) == 1


async def test_a_paused_subscription_renews_without_being_charged_and_resumes_by_itself(shop: Shop) -> None:
    name = await shop.subscribed()
    resumes = shop.item(name)["current_period_end"] + 10 * DAY
    paused = await shop.client.v1.subscriptions.update_async(
        name, {"pause_collection": {"behavior": "void", "resumes_at": resumes}}
    )
    assert paused.pause_collection is not None
    assert (paused.status, paused.pause_collection.resumes_at) == ("active", resumes)
    shop.fake.advance(32 * DAY)
    assert (shop.latest(name)["status"], shop.latest(name)["billing_reason"]) == ("void", "subscription_cycle")
    shop.fake.advance(10 * DAY)
    assert shop.fake.get("subscription", name)["pause_collection"] is None
    shop.fake.advance(31 * DAY)
    assert shop.latest(name)["status"] == "paid"


async def test_a_pause_is_taken_back_with_a_period_that_begins_now(shop: Shop) -> None:
    name = await shop.subscribed()
    await shop.client.v1.subscriptions.update_async(name, {"pause_collection": {"behavior": "void"}})
    shop.fake.advance(40 * DAY)
    resumed = await shop.client.v1.subscriptions.update_async(
        name,
        {
            "pause_collection": "",
            "billing_cycle_anchor": {"type": "now"},
            "proration_behavior": "none",
            "payment_behavior": "error_if_incomplete",
        },
    )
    assert (resumed.pause_collection, shop.latest(name)["amount_paid"]) == (None, 999)
    assert shop.item(name)["current_period_start"] == resumed.billing_cycle_anchor


async def test_a_trial_is_ended_now_and_paid(shop: Shop) -> None:
    name = await shop.subscribed(subscription_data={"trial_period_days": 7})
    ended = await shop.client.v1.subscriptions.update_async(name, {"trial_end": "now"})
    assert (ended.status, shop.latest(name)["amount_paid"]) == ("active", 999)
