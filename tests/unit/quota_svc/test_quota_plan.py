from datetime import timedelta

import pytest

from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.plan import Allowance, PlanTable
from tests.unit.quota_svc.customer import HOUR, chat, plan, story, tariff, video


def test_a_plan_that_nobody_knows_counts_as_free() -> None:
    free, pro = plan("free"), plan("pro")
    table = PlanTable([free, pro])
    assert (table.plan("plans/pro"), table.plan("plans/retired"), table.plan("")) == (pro, free, free)
    assert ("plans/pro" in table, "plans/retired" in table) == (True, False)


def test_a_table_without_a_free_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="needs plans/free"):
        PlanTable([plan("pro")])


def test_the_larger_plans_are_those_that_give_more_in_thirty_days_cheapest_first() -> None:
    free = plan("free", chat(5))
    same = plan("same", Allowance("chat", 150, Period.MONTH))
    rolling = plan("rolling", Allowance("chat", 1, Period.ROLLING, window=timedelta(hours=4)))
    month = plan("month", Allowance("chat", 151, Period.MONTH), video(1))
    endless = plan("endless", chat(None))
    table = PlanTable([free, same, rolling, month, endless])
    assert table.larger(free, "chat") == [rolling, month, endless]
    assert table.larger(month, "chat") == [rolling, endless]
    assert table.larger(endless, "chat") == []
    assert table.larger(free, "video") == [month]
    assert table.larger(free, "story") == []


@pytest.mark.parametrize(
    ("allowance", "words"),
    [
        (chat(), "day"),
        (video(), "month"),
        (story(window=3 * HOUR), "3 hours"),
        (story(window=HOUR), "hour"),
        (story(window=24 * HOUR), "day"),
        (story(window=36 * HOUR), "36 hours"),
        (story(window=timedelta(minutes=90)), "90 minutes"),
        (story(window=timedelta(seconds=61)), "61 seconds"),
    ],
)
def test_a_period_is_told_in_the_largest_unit_that_fits(allowance: Allowance, words: str) -> None:
    assert allowance.words == words


def test_a_user_s_allowance_is_that_of_their_plan() -> None:
    rates = tariff(plan("free", chat(5)), plan("pro", chat(50)))
    assert (rates.allowance("plans/pro", "chat"), rates.allowance("plans/retired", "chat")) == (chat(50), chat(5))
    assert rates.allowance("plans/pro", "video") is None
