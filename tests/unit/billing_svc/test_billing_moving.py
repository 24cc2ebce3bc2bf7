from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from runtime.errors import FailedPrecondition
from services.billing_svc.domain.agreement import RENEWAL_SLACK, Agreement, State
from services.billing_svc.domain.moving import (
    Move,
    move,
    planned,
    renewing,
    require_running,
    to_cancel,
    to_change,
    to_resume,
)
from services.billing_svc.domain.plan import Catalogue, Interval, PlanArticle, Provider
from tests.service.billing_svc.shop import CATALOGUE, MONTH, NOW, agreed

Choice = Callable[[Iterable[Agreement], Catalogue, datetime], Agreement]
STORE = agreed(id="rc_1", provider=Provider.REVENUECAT)
CODE = agreed(id="code", provider=Provider.PROMO, state=State.CANCELLED, interval=None)
ENDS = agreed(id="ends", state=State.CANCELLED)
OVER = agreed(id="over", state=State.EXPIRED)
PAUSED = agreed(id="paused", state=State.PAUSED)
UNPAID = agreed(id="unpaid", state=State.PAST_DUE)
LESSER = agreed(id="lesser", plan="creator", period_end=NOW + 2 * MONTH)


def article(slug: str, interval: Interval) -> PlanArticle:
    plan = CATALOGUE.plan(slug)
    price = plan.price(interval) if plan else None
    assert plan is not None
    assert price is not None
    return PlanArticle(plan, price)


@pytest.mark.parametrize(
    ("had", "wanted", "found"),
    [
        (agreed(), ("pro", Interval.MONTH), Move.SAME),
        (agreed(), ("pro", Interval.YEAR), Move.UPGRADE),
        (agreed(interval=Interval.YEAR), ("pro", Interval.MONTH), Move.DOWNGRADE),
        (agreed(), ("creator", Interval.YEAR), Move.DOWNGRADE),
        (agreed(plan="creator", interval=Interval.YEAR), ("pro", Interval.MONTH), Move.UPGRADE),
        (agreed(plan="gone"), ("creator", Interval.WEEK), Move.UPGRADE),
        (agreed(interval=None), ("pro", Interval.MONTH), Move.UPGRADE),
    ],
)
def test_a_better_plan_or_a_longer_interval_of_the_same_is_an_upgrade(
    had: Agreement, wanted: tuple[str, Interval], found: Move
) -> None:
    assert move(had, article(*wanted), CATALOGUE) is found


def test_a_change_is_planned_by_its_plan_and_its_interval() -> None:
    one = agreed(next_plan="creator", next_interval=Interval.WEEK)
    assert planned(one, article("creator", Interval.WEEK))
    assert not planned(one, article("creator", Interval.YEAR))


def test_what_renews_takes_money_again_unless_it_was_not_heard_of_for_long() -> None:
    known = [agreed(), STORE, CODE, ENDS, OVER, PAUSED, UNPAID]
    assert renewing(known, NOW) == [agreed(), STORE, PAUSED, UNPAID]
    assert renewing(known, NOW + MONTH + RENEWAL_SLACK) == [PAUSED, UNPAID]


@pytest.mark.parametrize(
    ("choice", "known", "meant"),
    [
        (to_change, [LESSER, STORE, agreed(), ENDS], agreed()),
        (to_change, [agreed(revoked_until=NOW + MONTH), LESSER], LESSER),
        (to_change, [PAUSED, OVER], PAUSED),
        (to_cancel, [ENDS, LESSER], LESSER),
        (to_cancel, [OVER, ENDS], ENDS),
        (to_cancel, [OVER], OVER),
        (to_cancel, [UNPAID, STORE], UNPAID),
        (to_resume, [agreed(), PAUSED], PAUSED),
        (to_resume, [agreed(), ENDS], ENDS),
        (to_resume, [OVER, agreed()], agreed()),
    ],
)
def test_of_several_agreements_the_best_that_it_can_be_done_to_is_meant(
    choice: Choice, known: list[Agreement], meant: Agreement
) -> None:
    assert choice(known, CATALOGUE, NOW) == meant
    assert choice(reversed(known), CATALOGUE, NOW) == meant


@pytest.mark.parametrize(
    ("choice", "known", "reason"),
    [
        (to_change, [], "NOT_SUBSCRIBED"),
        (to_change, [ENDS, OVER, CODE], "NOT_SUBSCRIBED"),
        (to_change, [ENDS, STORE], "MANAGED_BY_STORE"),
        (to_cancel, [CODE], "NOT_SUBSCRIBED"),
        (to_cancel, [OVER, STORE], "MANAGED_BY_STORE"),
        (to_resume, [], "NOT_SUBSCRIBED"),
        (to_resume, [STORE, OVER], "MANAGED_BY_STORE"),
        (to_resume, [OVER, CODE], "SUBSCRIPTION_ENDED"),
    ],
)
def test_where_none_is_meant_the_reason_is_said(choice: Choice, known: list[Any], reason: str) -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        choice(known, CATALOGUE, NOW)
    assert refusal.value.reason == reason


def test_one_whose_renewal_was_not_heard_of_can_still_be_cancelled() -> None:
    assert to_cancel([agreed()], CATALOGUE, NOW + timedelta(days=100)) == agreed()


@pytest.mark.parametrize("one", [PAUSED, UNPAID, ENDS, agreed(revoked_until=NOW + MONTH)], ids=str)
def test_what_is_not_running_is_not_changed(one: Agreement) -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        require_running(one, NOW)
    assert refusal.value.reason == "SUBSCRIPTION_NOT_ACTIVE"
