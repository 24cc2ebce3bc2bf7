from typing import Any

import pytest
import stripe

from tests.service.pretend_stripe.endpoint import Endpoint
from tests.service.pretend_stripe.shop import DAY, Shop, lines


async def planned(shop: Shop, subscription: str, price: str, interval: str = "month") -> stripe.SubscriptionSchedule:
    """A change of price at the end of the present period."""
    schedule = await shop.client.v1.subscription_schedules.create_async({"from_subscription": subscription})
    now = schedule.phases[0]
    items = [{"price": shop.item(subscription)["price"]["id"], "quantity": 1}]
    phases: Any = [
        {"items": items, "start_date": now.start_date, "end_date": now.end_date},
        {"items": [{"price": price, "quantity": 1}], "duration": {"interval": interval, "interval_count": 1}},
    ]
    return await shop.client.v1.subscription_schedules.update_async(
        schedule.id, {"end_behavior": "release", "phases": phases}
    )


async def test_a_planned_change_comes_when_the_period_ends(shop: Shop, hook: Endpoint) -> None:
    name = await shop.subscribed("price_max_month")
    end = shop.item(name)["current_period_end"]
    schedule = await planned(shop, name, "price_pro_month")
    assert [(phase.start_date, phase.items[0].price) for phase in schedule.phases][1] == (end, "price_pro_month")
    shop.fake.advance(end - shop.fake.account.now())
    changed = await shop.client.v1.subscriptions.retrieve_async(name, {"expand": ["schedule"]})
    assert changed["items"].data[0].price.id == "price_pro_month"
    assert lines(shop.latest(name)) == [("price_pro_month", 999, False)]
    assert isinstance(changed.schedule, stripe.SubscriptionSchedule)
    assert changed.schedule.current_phase is not None
    assert changed.schedule.current_phase.start_date == end
    shop.fake.advance(32 * DAY)
    assert shop.fake.get("subscription", name)["schedule"] is None
    await shop.fake.delivered()
    assert "subscription_schedule.released" in hook.types


async def test_a_planned_change_of_interval_counts_from_there(shop: Shop) -> None:
    name = await shop.subscribed("price_max_month")
    end = shop.item(name)["current_period_end"]
    await planned(shop, name, "price_pro_week", "week")
    shop.fake.renew(name)
    item = shop.item(name)
    assert item["price"]["id"] == "price_pro_week"
    assert item["current_period_end"] - item["current_period_start"] == 7 * DAY
    assert item["current_period_start"] < end


async def test_a_preview_of_the_next_invoice_knows_the_planned_change(shop: Shop) -> None:
    name = await shop.subscribed("price_max_month")
    await planned(shop, name, "price_pro_month")
    preview = await shop.client.v1.invoices.create_preview_async({"subscription": name})
    assert preview.total == 999


async def test_a_released_schedule_changes_nothing(shop: Shop) -> None:
    name = await shop.subscribed("price_max_month")
    schedule = await planned(shop, name, "price_pro_month")
    released = await shop.client.v1.subscription_schedules.release_async(schedule.id)
    assert (released.status, released.released_subscription, released.subscription) == ("released", name, None)
    shop.fake.advance(32 * DAY)
    assert shop.item(name)["price"]["id"] == "price_max_month"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be released"):
        await shop.client.v1.subscription_schedules.release_async(schedule.id)


async def test_while_a_schedule_runs_it_alone_decides_when_to_end(shop: Shop) -> None:
    name = await shop.subscribed()
    await shop.client.v1.subscription_schedules.create_async({"from_subscription": name})
    with pytest.raises(stripe.InvalidRequestError, match="managed by the subscription schedule"):
        await shop.client.v1.subscriptions.update_async(name, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError, match="already attached"):
        await shop.client.v1.subscription_schedules.create_async({"from_subscription": name})


async def test_the_present_phase_begins_when_it_began(shop: Shop) -> None:
    name = await shop.subscribed()
    schedule = await shop.client.v1.subscription_schedules.create_async({"from_subscription": name})
    phase: Any = {"items": [{"price": "price_pro_month"}], "start_date": schedule.phases[0].start_date - 1}
    with pytest.raises(stripe.InvalidRequestError, match="can not modify the start date"):
        await shop.client.v1.subscription_schedules.update_async(schedule.id, {"phases": [phase]})


async def test_a_cancelled_subscription_ends_with_its_schedule(shop: Shop) -> None:
    name = await shop.subscribed()
    await shop.client.v1.subscriptions.update_async(name, {"cancel_at_period_end": True})
    schedule = await shop.client.v1.subscription_schedules.create_async({"from_subscription": name})
    assert schedule.end_behavior == "cancel"
    shop.fake.advance(32 * DAY)
    assert shop.fake.get("subscription", name)["status"] == "canceled"
    assert shop.fake.get("subscription_schedule", schedule.id)["status"] == "canceled"


async def test_a_discount_lasts_through_a_planned_change_that_names_it(shop: Shop) -> None:
    name = await shop.subscribed("price_max_month", discounts=[{"promotion_code": "promo_friend20"}])
    schedule = await shop.client.v1.subscription_schedules.create_async({"from_subscription": name})
    now = schedule.phases[0]
    kept = [{"discount": now.discounts[0].discount}]
    phases: Any = [
        {
            "items": [{"price": "price_max_month"}],
            "start_date": now.start_date,
            "end_date": now.end_date,
            "discounts": kept,
        },
        {"items": [{"price": "price_pro_month"}], "discounts": kept},
    ]
    await shop.client.v1.subscription_schedules.update_async(schedule.id, {"phases": phases})
    shop.fake.renew(name)
    assert shop.latest(name)["total"] == 799
