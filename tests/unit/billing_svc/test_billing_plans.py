from datetime import timedelta
from pathlib import Path

import pytest

from services.billing_svc import plans
from services.billing_svc.domain.plan import Allowance, Interval, Pack, Period, Plan, PlanArticle, Price, Provider

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
        plans.load(file, "test")
    return refusal.value.faults


def priced(plan: str, interval: Interval, cents: int, given: int, variant: str) -> Price:
    """A price of the file that ships, with its ids in the test environment."""
    word = interval.value
    ids = {
        Provider.STRIPE: (f"price_{plan}_{word}",),
        Provider.REVENUECAT: (f"{plan}_{word}",),
        Provider.LEMON_SQUEEZY: (variant,),
        Provider.CRYPTOMUS: (f"plans/{plan}/{word}",),
    }
    return Price(interval, cents, given, ids)


def packed(slug: str, name: str, given: int, cents: int, variant: str) -> Pack:
    """A pack of the file that ships, with its ids in the test environment."""
    ids = {
        Provider.STRIPE: (f"price_credits_{slug}",),
        Provider.REVENUECAT: (f"credits_{slug}",),
        Provider.LEMON_SQUEEZY: (variant,),
        Provider.CRYPTOMUS: (f"packs/{slug}",),
    }
    return Pack(slug, name, given, cents, ids)


def test_what_ships_is_what_is_on_offer() -> None:
    day, month = Period.DAY, Period.MONTH
    week, a_month, year = Interval.WEEK, Interval.MONTH, Interval.YEAR
    catalogue = plans.load(plans.PLANS, "test")
    assert catalogue.grace == timedelta(days=7)
    assert catalogue.plans == (
        Plan(
            "free",
            "Free",
            (),
            (Allowance("chat", 5, day), Allowance("transcription", 5, month), Allowance("speech", 5, month)),
            12_000,
        ),
        Plan(
            "creator",
            "Creator",
            (priced("creator", week, 299, 10, "100001"), priced("creator", year, 9999, 500, "100002")),
            (
                Allowance("chat", 50, day),
                Allowance("chat_premium", 20, month, rollover=10),
                Allowance("image_generation", 2, month),
                Allowance("image_recognition", 4, month),
                Allowance("story", 10, month),
                Allowance("transcription", 30, month),
                Allowance("speech", 30, month),
            ),
            32_000,
        ),
        Plan(
            "pro",
            "Pro",
            (
                priced("pro", week, 399, 20, "100003"),
                priced("pro", a_month, 999, 80, "100004"),
                priced("pro", year, 14999, 1000, "100005"),
            ),
            (
                Allowance("chat", None, day),
                Allowance("chat_premium", 100, month),
                Allowance("image_generation", 5, month),
                Allowance("image_recognition", 10, month),
                Allowance("video", 3, month),
                Allowance("story", 30, month),
                Allowance("transcription", 120, month),
                Allowance("speech", 120, month),
            ),
            64_000,
            7,
        ),
        Plan(
            "max",
            "Max",
            (
                priced("max", week, 599, 40, "100006"),
                priced("max", a_month, 1999, 160, "100007"),
                priced("max", year, 24999, 2000, "100008"),
            ),
            (
                Allowance("chat", None, day),
                Allowance("chat_premium", None, month),
                Allowance("image_generation", None, month),
                Allowance("image_recognition", None, month),
                Allowance("video", None, month),
                Allowance("story", None, month),
                Allowance("transcription", None, month),
                Allowance("speech", None, month),
            ),
            64_000,
        ),
    )
    assert catalogue.packs == (
        packed("small", "100 credits", 100, 499, "100101"),
        packed("medium", "500 credits", 500, 1999, "100102"),
        packed("large", "1,500 credits", 1500, 4999, "100103"),
    )


def test_where_money_moves_nobody_sells_what_ships() -> None:
    catalogue = plans.load(plans.PLANS, "live")
    sold = [price.ids for plan in catalogue.plans for price in plan.prices] + [pack.ids for pack in catalogue.packs]
    assert sold == [{}] * 11


SHOP = (
    FREE
    + """
[[plan]]
slug = "pro"
display_name = "Pro"
context_tokens = 1
prices.month = { amount = 9.99, credits = 80 }
allowances.chat = { unlimited = true, period = "day" }

[[pack]]
slug = "small"
display_name = "100 credits"
credits = 100
amount = 4.99
"""
)


def test_a_thing_is_known_by_all_its_ids_in_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "plans.toml"
    file.write_text(
        SHOP
        + """
        [environment.live.stripe]
        "plans/pro/month" = ["price_new", "price_old"]
        "packs/small" = "price_pack"
        [environment.test.stripe]
        "plans/pro/month" = "price_test"
        """
    )
    catalogue = plans.load(file, "live")
    pro, small = catalogue.plan("pro"), catalogue.pack("small")
    assert pro is not None
    assert [catalogue.sold(Provider.STRIPE, name) for name in ("price_new", "price_old", "price_pack")] == [
        PlanArticle(pro, pro.prices[0]),
        PlanArticle(pro, pro.prices[0]),
        small,
    ]
    assert (catalogue.sold(Provider.STRIPE, "price_test"), catalogue.sold(Provider.REVENUECAT, "price_new")) == (
        None,
        None,
    )


def test_ids_are_of_what_is_on_offer_and_of_one_thing_each(tmp_path: Path) -> None:
    text = """
        [environment.test.stripe]
        "plans/pro/week" = "price_1"
        "plans/pro/month" = ["price_2", "price_3"]
        "packs/small" = "price_2"
        "packs/huge" = "price_4"
        [environment.live.cryptomus]
        "packs/small" = "small"
    """
    assert faults(tmp_path, SHOP + text) == [
        "plans.toml: environment.test.stripe.plans/pro/week: is not on offer",
        "plans.toml: environment.test.stripe.packs/huge: is not on offer",
        "plans.toml: environment.test.stripe: price_2 is the id of more than one thing",
        "plans.toml: environment.live.cryptomus.packs/small: is its own id there",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('environment.staging.stripe."packs/small" = "p"', "environment.staging"),
        ('environment.test.paypal."packs/small" = "p"', "environment.test.paypal"),
        ('environment.test.stripe."packs/small" = []', "environment.test.stripe.packs/small"),
        ('environment.test.stripe."packs/small" = ""', "environment.test.stripe.packs/small"),
        ('environment.test.stripe."packs/small" = 7', "environment.test.stripe.packs/small"),
        ("grace_days = -1", "grace_days"),
        ("colour = 1", "colour"),
    ],
)
def test_a_fault_outside_the_plans_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    (fault,) = faults(tmp_path, f"{text}\n{SHOP}")
    assert fault.startswith(f"plans.toml: {place}")


@pytest.mark.parametrize(
    ("said", "instead", "place"),
    [
        ("credits = 100", "credits = 0", "pack.0.credits"),
        ("amount = 4.99", "amount = 4.999", "pack.0.amount"),
        ("amount = 9.99", "amount = 0", "plan.1.prices.month.amount"),
        ("credits = 80", "credits = -1", "plan.1.prices.month.credits"),
        ("context_tokens = 1\n", "context_tokens = 1\ntrial_days = -1\n", "plan.1.trial_days"),
    ],
)
def test_an_amount_that_makes_no_sense_is_named_with_its_place(
    tmp_path: Path, said: str, instead: str, place: str
) -> None:
    (fault,) = faults(tmp_path, SHOP.replace(said, instead))
    assert fault.startswith(f"plans.toml: {place}: ")


def test_the_free_plan_needs_no_trial(tmp_path: Path) -> None:
    told = faults(tmp_path, FREE.replace("context", "trial_days = 7\ncontext"))
    assert told == ["plans.toml: plan.0: Value error, the free plan needs no trial"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(plans.PlansError) as refusal:
        plans.load(tmp_path / "none.toml", "test")
    assert refusal.value.faults == [f"{tmp_path / 'none.toml'}: No such file or directory"]


def test_every_fault_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    text = """
        [[plan]]
        slug = "Pro!"
        display_name = ""
        context_tokens = 0
        prices = { week = 1.999, decade = { amount = 1 } }
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
    assert "plan.free: is missing" in told


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
    assert plans.load(file, "test").plans == (Plan("free", "Free", (), (given,), 12_000),)


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
    pro = FREE.replace("free", "pro").replace("context", "prices.week.amount = 1.99\ncontext")
    assert faults(tmp_path, pro + pro) == [
        "plans.toml: plan.pro: stands there more than once",
        "plans.toml: plan.free: is missing",
    ]


def test_a_file_that_is_not_toml_is_refused_with_its_place(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "[[plan]\n")
    assert fault.startswith("plans.toml: ")
    assert "line 1" in fault


def test_who_is_not_set_up_here_sells_nothing() -> None:
    alone = plans.load(plans.PLANS, "test").sold_by({Provider.STRIPE})
    sellers = {provider for plan in alone.plans for price in plan.prices for provider in price.ids}
    assert sellers | {provider for pack in alone.packs for provider in pack.ids} == {Provider.STRIPE}
    assert alone.sold(Provider.STRIPE, "price_pro_month") == PlanArticle(alone.plans[2], alone.plans[2].prices[1])
    assert alone.sold(Provider.REVENUECAT, "pro_month") is None
