"""Bought credits pay for what a meter has too little of."""

import pytest

from services.quota_svc.domain.decision import Reason, admission
from services.quota_svc.domain.hold import Mode
from services.quota_svc.domain.meter import CREDITS, Meter, MeterTable
from services.quota_svc.domain.plan import PlanTable, Tariff
from services.quota_svc.domain.reserving import Refused, Reserved
from tests.unit.quota_svc.customer import Customer, chat, plan, video

METERS = MeterTable([Meter("chat", "turns", 80, 2), Meter("video", "videos", 80), Meter(CREDITS, "credits", 80)])
RATES = Tariff(PlanTable([plan("free", chat(1), video(1)), plan("shadowed", chat(1, shadow=True))]), METERS)


@pytest.fixture
def ann() -> Customer:
    """One turn and one video of her plan, and seven credits; a turn costs two."""
    ann = Customer(RATES)
    ann.grant(7, meter=CREDITS)
    return ann


def held(outcome: Reserved | Refused) -> dict[str, int]:
    assert isinstance(outcome, Reserved)
    return {line.meter: line.amount for line in outcome.hold.lines}


def test_the_plan_pays_first_and_credits_when_it_has_nothing_left(ann: Customer) -> None:
    assert [held(ann.reserve(1)) for _ in range(3)] == [{"chat": 1}, {CREDITS: 2}, {CREDITS: 2}]
    assert ann.remaining(CREDITS) == 3


def test_credits_that_are_too_few_are_left_alone_and_the_meter_says_why(ann: Customer) -> None:
    refusal = ann.refusal({"chat": 5})
    assert (refusal.meter.name, refusal.reason, refusal.figures.remaining) == ("chat", Reason.LIMIT_REACHED, 1)
    assert refusal.message.endswith("bought credits pay for more, 2 for each.")
    assert (ann.remaining("chat"), ann.remaining(CREDITS)) == (1, 7)


def test_a_meter_without_a_price_is_not_paid_for_with_credits(ann: Customer) -> None:
    assert ann.refusal({"video": 2}).meter.name == "video"


def test_of_several_meters_only_what_is_missing_is_paid_for(ann: Customer) -> None:
    assert held(ann.reserve({"video": 1, "chat": 2, CREDITS: 1})) == {"video": 1, CREDITS: 5}


def test_what_is_taken_as_far_as_it_goes_is_not_paid_for(ann: Customer) -> None:
    assert held(ann.reserve(3, mode=Mode.BEST_EFFORT)) == {"chat": 1}


def test_a_debt_is_not_paid_off_with_credits(ann: Customer) -> None:
    ann.use(1)
    ann.adjust(-3)
    assert ann.refusal(1).reason is Reason.IN_DEBT


def test_admission_says_who_would_pay(ann: Customer) -> None:
    def payer(amount: int) -> tuple[str, bool, int]:
        decision = admission(ann.account, "chat", amount, ann.tariff, ann.now)
        return decision.meter.name, decision.admitted, decision.amount

    assert [payer(1), payer(2), payer(4)] == [("chat", True, 1), (CREDITS, True, 4), ("chat", False, 4)]


def test_what_is_only_watched_is_not_paid_for() -> None:
    ann = Customer(RATES, on="plans/shadowed")
    ann.grant(7, meter=CREDITS)
    ann.use(1)
    assert held(ann.reserve(1)) == {"chat": 1}
    assert admission(ann.account, "chat", 1, ann.tariff, ann.now).shadow
