from datetime import timedelta

import pytest

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.offering import Buyer, Standing, buyer, gain, standing
from services.billing_svc.domain.plan import Allowance, Catalogue, Interval, Period, Plan, Price
from tests.service.billing_svc.shop import CATALOGUE, MONTH, NOW, agreed

HOURS = timedelta(hours=3)


def plan(slug: str, cents: int, *allowances: Allowance) -> Plan:
    return Plan(slug, slug, (Price(Interval.MONTH, cents),) if cents else (), allowances, 1)


MANY = Catalogue(
    [
        plan("free", 0, Allowance("chat", 5, Period.DAY), Allowance("story", 3, Period.ROLLING, HOURS)),
        plan("pro", 999, Allowance("chat", None, Period.DAY)),
    ]
)


@pytest.mark.parametrize(
    ("known", "found"),
    [
        ([], Buyer("free", may_try=True)),
        ([agreed()], Buyer("pro", may_try=False)),
        ([agreed(state=State.CANCELLED)], Buyer("pro", may_try=True)),
        ([agreed(state=State.EXPIRED)], Buyer("free", may_try=True)),
        ([agreed(state=State.EXPIRED, trial=True)], Buyer("free", may_try=False)),
        ([agreed(revoked_until=NOW + MONTH)], Buyer("free", may_try=False)),
    ],
)
def test_who_had_a_trial_or_pays_has_nothing_to_try(known: list[Agreement], found: Buyer) -> None:
    assert buyer("ann", known, CATALOGUE, NOW) == found


@pytest.mark.parametrize(
    ("has", "standings"),
    [
        ("free", [Standing.CURRENT, Standing.UPGRADE, Standing.UPGRADE]),
        ("creator", [Standing.DOWNGRADE, Standing.CURRENT, Standing.UPGRADE]),
        ("pro", [Standing.DOWNGRADE, Standing.DOWNGRADE, Standing.CURRENT]),
        ("gone", [Standing.DOWNGRADE, Standing.UPGRADE, Standing.UPGRADE]),
    ],
)
def test_plans_stand_to_each_other_by_what_they_cost(has: str, standings: list[Standing]) -> None:
    assert [standing(Buyer(has, may_try=True), one, CATALOGUE) for one in CATALOGUE.plans] == standings


@pytest.mark.parametrize(
    ("has", "allowance", "more"),
    [
        ("free", Allowance("chat", 50, Period.DAY), 45),
        ("free", Allowance("chat", 2, Period.DAY), -3),
        ("free", Allowance("chat", 50, Period.MONTH), 50),
        ("free", Allowance("chat", None, Period.DAY), 0),
        ("free", Allowance("video", 4, Period.MONTH), 4),
        ("free", Allowance("story", 9, Period.ROLLING, HOURS), 6),
        ("free", Allowance("story", 9, Period.ROLLING, 2 * HOURS), 9),
        ("pro", Allowance("chat", 50, Period.DAY), 0),
        ("gone", Allowance("chat", 50, Period.DAY), 50),
    ],
)
def test_a_gain_is_what_comes_on_top_in_the_same_kind_of_period(has: str, allowance: Allowance, more: int) -> None:
    assert gain(Buyer(has, may_try=True), allowance, MANY) == more
