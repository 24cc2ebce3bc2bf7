from datetime import UTC, datetime

from cli.local.stripe.cards import DECLINES
from tests.service.pretend_stripe.endpoint import Endpoint
from tests.service.pretend_stripe.shop import DAY, Shop


async def test_a_year_has_twelve_renewals_each_at_its_moment(shop: Shop) -> None:
    name = await shop.subscribed()
    anchor = shop.item(name)["current_period_start"]
    shop.fake.advance(366 * DAY)
    invoices = [one for one in shop.fake.all("invoice") if one["billing_reason"] == "subscription_cycle"]
    assert len(invoices) == 12
    day = datetime.fromtimestamp(anchor, UTC).day
    assert all(datetime.fromtimestamp(one["created"], UTC).day in (day, 28, 29, 30) for one in invoices)
    assert [one["created"] for one in reversed(invoices)] == sorted(
        one["lines"]["data"][0]["period"]["start"] for one in invoices
    )
    assert len({one["number"] for one in shop.fake.all("invoice")}) == 13


async def test_a_renewal_that_fails_is_tried_again_and_then_given_up(shop: Shop, hook: Endpoint) -> None:
    customer = await shop.customer()
    name = await shop.subscribed(customer=customer)
    shop.fake.card(customer, DECLINES)
    shop.fake.renew(name)
    assert shop.fake.get("subscription", name)["status"] == "past_due"
    seen = []
    for days in (3, 5, 7):
        shop.fake.advance(days * DAY)
        seen.append((shop.latest(name)["attempt_count"], shop.fake.get("subscription", name)["status"]))
    assert seen == [(2, "past_due"), (3, "past_due"), (4, "canceled")]
    ended = shop.fake.get("subscription", name)
    assert ended["cancellation_details"]["reason"] == "payment_failed"
    await shop.fake.delivered()
    assert hook.types.count("invoice.payment_failed") == 4
    assert hook.types[-1] == "customer.subscription.deleted"


async def test_the_next_try_may_succeed(shop: Shop) -> None:
    name = await shop.subscribed()
    shop.fake.fail(name)
    shop.fake.renew(name)
    assert (shop.fake.get("subscription", name)["status"], shop.latest(name)["status"]) == ("past_due", "open")
    shop.fake.advance(3 * DAY)
    assert (shop.fake.get("subscription", name)["status"], shop.latest(name)["attempt_count"]) == ("active", 2)


async def test_one_renewal_leaves_everybody_elses_time_alone(shop: Shop) -> None:
    mine, other = await shop.subscribed(), await shop.subscribed()
    before = shop.item(other), shop.fake.account.clock.ahead_seconds
    shop.fake.renew(mine)
    assert (shop.item(other), shop.fake.account.clock.ahead_seconds) == before
    assert shop.latest(mine)["billing_reason"] == "subscription_cycle"


async def test_the_end_of_a_trial_is_announced(shop: Shop, hook: Endpoint) -> None:
    await shop.subscribed(subscription_data={"trial_period_days": 7})
    shop.fake.advance(3 * DAY)
    await shop.fake.delivered()
    assert "customer.subscription.trial_will_end" not in hook.types
    shop.fake.advance(DAY + 60)
    await shop.fake.delivered()
    assert hook.types.count("customer.subscription.trial_will_end") == 1


async def test_renewing_what_was_cancelled_ends_it(shop: Shop) -> None:
    name = await shop.subscribed()
    await shop.client.v1.subscriptions.update_async(name, {"cancel_at_period_end": True})
    shop.fake.renew(name)
    assert shop.fake.get("subscription", name)["status"] == "canceled"
