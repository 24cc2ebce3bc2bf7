from datetime import timedelta
from pathlib import Path

import pytest

from services.billing_svc import plans
from services.billing_svc.domain import Allowance, Interval, Period, Plan, Price

FREE = """
[[plan]]
slug = "free"
display_name = "Free"
context_tokens = 12_000
allowances.chat = { amount = 5, period = "day" }
"""


def faults(directory: Path, text: str) -> list[str]:
    file = directory / "plans.toml"
    file.write_text(text)
    with pytest.raises(plans.PlansError) as refusal:
        plans.load(file)
    return refusal.value.faults


def test_the_plans_that_ship_are_the_ones_on_offer() -> None:
    day, month = Period.DAY, Period.MONTH
    week, a_month, year = Interval.WEEK, Interval.MONTH, Interval.YEAR
    assert plans.load(plans.PLANS) == (
        Plan("free", "Free", (), (Allowance("chat", 5, day),), 12_000),
        Plan(
            "creator",
            "Creator",
            (Price(week, 299), Price(year, 9999)),
            (
                Allowance("chat", 50, day),
                Allowance("chat_premium", 20, month, rollover=10),
                Allowance("image_generation", 2, month),
                Allowance("image_recognition", 4, month),
                Allowance("story", 10, month),
            ),
            32_000,
        ),
        Plan(
            "pro",
            "Pro",
            (Price(week, 399), Price(a_month, 999), Price(year, 14999)),
            (
                Allowance("chat", None, day),
                Allowance("chat_premium", 100, month),
                Allowance("image_generation", 5, month),
                Allowance("image_recognition", 10, month),
                Allowance("video", 3, month),
                Allowance("story", 30, month),
            ),
            64_000,
        ),
        Plan(
            "max",
            "Max",
            (Price(week, 599), Price(a_month, 1999), Price(year, 24999)),
            (
                Allowance("chat", None, day),
                Allowance("chat_premium", None, month),
                Allowance("image_generation", None, month),
                Allowance("image_recognition", None, month),
                Allowance("video", None, month),
                Allowance("story", None, month),
            ),
            64_000,
        ),
    )


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    text = """
        [[plan]]
        slug = "Pro!"
        display_name = ""
        context_tokens = 0
        prices = { week = 1.999, decade = 1 }
        colour = "red"
        allowances.Chat = { amount = 5, period = "day" }
        allowances.image = { amount = 5, unlimited = true, period = "hour" }
    """
    told = "\n".join(faults(tmp_path, text))
    for place in (
        "slug",
        "display_name",
        "context_tokens",
        "prices.week",
        "prices.decade",
        "colour",
        "allowances.Chat",
    ):
        assert f"plans.toml: plan.0.{place}" in told
    assert "plan.0.allowances.image.period" in told


@pytest.mark.parametrize("units", ["", "amount = 5, unlimited = true,", "amount = 0,", "amount = -1,"])
def test_an_allowance_has_an_amount_or_no_limit(tmp_path: Path, units: str) -> None:
    text = FREE.replace("amount = 5,", units)
    assert len(faults(tmp_path, text)) == 1


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ('amount = 5, period = "day"', Allowance("chat", 5, Period.DAY)),
        ('amount = 5, period = "month", rollover = 3', Allowance("chat", 5, Period.MONTH, rollover=3)),
        ('amount = 5, period = "day", shadow = true', Allowance("chat", 5, Period.DAY, shadow=True)),
        ('unlimited = true, period = "day", rollover = 0', Allowance("chat", None, Period.DAY)),
        (
            'amount = 5, period = "rolling", window = "90s"',
            Allowance("chat", 5, Period.ROLLING, timedelta(seconds=90)),
        ),
        (
            'amount = 5, period = "rolling", window = "15m"',
            Allowance("chat", 5, Period.ROLLING, timedelta(minutes=15)),
        ),
        (
            'amount = 5, period = "rolling", window = "3h", shadow = true',
            Allowance("chat", 5, Period.ROLLING, timedelta(hours=3), shadow=True),
        ),
        (
            'amount = 5, period = "rolling", window = "366d"',
            Allowance("chat", 5, Period.ROLLING, timedelta(days=366)),
        ),
    ],
)
def test_an_allowance_is_what_the_file_says(tmp_path: Path, said: str, given: Allowance) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(FREE.replace('amount = 5, period = "day"', said))
    assert plans.load(file) == (Plan("free", "Free", (), (given,), 12_000),)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ('amount = 5, period = "rolling"', 'needs a window, because its period is "rolling"'),
        ('period = "rolling", window = "3h"', "needs either an amount or unlimited = true"),
        (
            'period = "rolling"',
            'needs either an amount or unlimited = true; needs a window, because its period is "rolling"',
        ),
        (
            'amount = 5, period = "rolling", window = "3h", rollover = 1',
            'takes no rollover, because its period is "rolling"',
        ),
        ('amount = 5, period = "day", window = "3h"', 'takes no window, because its period is not "rolling"'),
        (
            'unlimited = true, period = "rolling", window = "3h"',
            "takes no rolling period, because it is unlimited; takes no window, because it is unlimited",
        ),
        ('unlimited = true, period = "day", window = "3h"', "takes no window, because it is unlimited"),
        (
            'unlimited = true, period = "day", rollover = 1, shadow = true',
            "takes no rollover, because it is unlimited; takes no shadow, because it is unlimited",
        ),
    ],
)
def test_an_allowance_that_makes_no_sense_is_refused_with_the_reason(tmp_path: Path, said: str, fault: str) -> None:
    told = faults(tmp_path, FREE.replace('amount = 5, period = "day"', said))
    assert told == [f"plans.toml: plan.0.allowances.chat: Value error, {fault}"]


@pytest.mark.parametrize("window", ['""', '"3"', '"0h"', '"-3h"', '"1.5h"', '"3w"', '"3h "', '"PT3H"', "10800"])
def test_a_window_is_a_whole_number_with_its_unit(tmp_path: Path, window: str) -> None:
    told = faults(tmp_path, FREE.replace('period = "day"', f'period = "rolling", window = {window}'))
    fault = 'is a whole number with its unit, s, m, h or d, such as "3h"'
    assert told == [f"plans.toml: plan.0.allowances.chat.window: Value error, {fault}"]


@pytest.mark.parametrize("window", ["367d", "8785h", "999999999d"])
def test_a_window_is_no_longer_than_a_year(tmp_path: Path, window: str) -> None:
    told = faults(tmp_path, FREE.replace('period = "day"', f'period = "rolling", window = "{window}"'))
    assert told == ["plans.toml: plan.0.allowances.chat.window: Value error, is longer than 366 days"]


def test_a_rollover_is_not_below_zero(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, FREE.replace('period = "day"', 'period = "day", rollover = -1'))
    assert fault.startswith("plans.toml: plan.0.allowances.chat.rollover: ")


def test_a_paid_plan_needs_a_price(tmp_path: Path) -> None:
    told = faults(tmp_path, FREE + FREE.replace("free", "pro"))
    assert told == ["plans.toml: plan.1: Value error, the free plan has no prices, every other plan has some"]


def test_the_free_plan_is_needed_and_every_slug_stands_once(tmp_path: Path) -> None:
    pro = FREE.replace("free", "pro").replace("context", "prices.week = 1.99\ncontext")
    assert faults(tmp_path, pro + pro) == [
        "plans.toml: plan.pro: stands there more than once",
        "plans.toml: plan.free: is missing",
    ]


def test_a_file_that_is_not_toml_is_refused_with_its_place(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "[[plan]\n")
    assert fault.startswith("plans.toml: ")
    assert "line 1" in fault
