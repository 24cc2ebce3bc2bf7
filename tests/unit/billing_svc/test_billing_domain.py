from datetime import UTC, datetime, timedelta

import pytest

from services.billing_svc.domain import Interval, Plan, Price, State, Subscription, cheapest_first

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def plan(slug: str, *cents: int) -> Plan:
    prices = tuple(Price(interval, one) for interval, one in zip(Interval, cents, strict=False))
    return Plan(slug, slug.title(), prices, (), 1)


def test_plans_stand_by_the_least_that_each_asks_for() -> None:
    free, small, large = plan("free"), plan("small", 300, 900), plan("large", 700, 200)
    assert cheapest_first((small, large, free)) == (free, large, small)


@pytest.mark.parametrize("state", [State.ACTIVE, State.PAUSED])
def test_a_subscription_that_was_not_cancelled_stands_as_it_was_kept(state: State) -> None:
    subscription = Subscription("ann", "pro", state, NOW - timedelta(days=1))
    assert subscription.at(NOW) == subscription


def test_a_cancelled_subscription_stands_until_its_period_ends() -> None:
    subscription = Subscription("ann", "pro", State.CANCELLED, NOW)
    assert subscription.at(NOW - timedelta(microseconds=1)) == subscription


def test_a_cancelled_subscription_is_the_free_plan_from_the_end_of_its_period_on() -> None:
    subscription = Subscription("ann", "pro", State.CANCELLED, NOW)
    assert subscription.at(NOW) == Subscription("ann", "free", State.ACTIVE, None)
