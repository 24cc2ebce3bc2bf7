from datetime import UTC, datetime, timedelta, timezone

import pytest

from services.quota_svc.domain.plan import Allowance, Period, Plan, PlanTable, Window


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, UTC)


def plan(slug: str, **allowances: Allowance) -> Plan:
    return Plan(f"plans/{slug}", slug.title(), allowances, 1)


@pytest.mark.parametrize(
    ("period", "now", "window"),
    [
        (Period.DAY, at(2026, 11, 21), Window(at(2026, 11, 21), at(2026, 11, 22))),
        (Period.DAY, at(2026, 11, 21, 23, 59, 59, 999999), Window(at(2026, 11, 21), at(2026, 11, 22))),
        (Period.DAY, at(2026, 12, 31, 12), Window(at(2026, 12, 31), at(2027, 1, 1))),
        (Period.DAY, at(2028, 2, 28, 12), Window(at(2028, 2, 28), at(2028, 2, 29))),
        (Period.MONTH, at(2026, 11, 1), Window(at(2026, 11, 1), at(2026, 12, 1))),
        (Period.MONTH, at(2026, 12, 31, 23, 59, 59), Window(at(2026, 12, 1), at(2027, 1, 1))),
        (Period.MONTH, at(2026, 1, 31), Window(at(2026, 1, 1), at(2026, 2, 1))),
    ],
)
def test_a_period_is_a_day_or_a_month_of_utc(period: Period, now: datetime, window: Window) -> None:
    assert period.window(now) == window


def test_a_day_is_that_of_utc_wherever_the_clock_stands() -> None:
    tokyo = timezone(timedelta(hours=9))
    morning = datetime(2026, 11, 22, 8, 59, tzinfo=tokyo)
    assert Period.DAY.window(morning) == Window(at(2026, 11, 21), at(2026, 11, 22))


def test_a_plan_that_nobody_knows_counts_as_free() -> None:
    free, pro = plan("free"), plan("pro")
    table = PlanTable([free, pro])
    assert (table.plan("plans/pro"), table.plan("plans/retired"), table.plan("")) == (pro, free, free)


def test_a_table_without_a_free_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="needs plans/free"):
        PlanTable([plan("pro")])


def test_the_larger_plan_is_the_cheapest_that_gives_more() -> None:
    day, month = Period.DAY, Period.MONTH
    free = plan("free", chat=Allowance("chat", 5, day))
    same = plan("same", chat=Allowance("chat", 150, month))
    pro = plan("pro", chat=Allowance("chat", 151, month), image=Allowance("image", 1, month))
    top = plan("max", chat=Allowance("chat", None, day))
    table = PlanTable([free, same, pro, top])
    assert table.larger(free, "chat") == pro
    assert table.larger(pro, "chat") == top
    assert table.larger(top, "chat") is None
    assert table.larger(free, "image") == pro
    assert table.larger(free, "video") is None
