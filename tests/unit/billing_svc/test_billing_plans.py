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
        Plan("creator", "Creator", (Price(week, 299), Price(year, 9999)), (Allowance("chat", 50, day),), 32_000),
        Plan(
            "pro",
            "Pro",
            (Price(week, 399), Price(a_month, 999), Price(year, 14999)),
            (
                Allowance("chat", None, day),
                Allowance("chat_premium", 100, month),
                Allowance("image_generation", 5, month),
                Allowance("image_recognition", 10, month),
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
