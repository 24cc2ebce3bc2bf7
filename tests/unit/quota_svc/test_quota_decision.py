from dataclasses import replace
from datetime import timedelta

import pytest

from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.decision import Decision, Figures, Reason
from services.quota_svc.domain.plan import Allowance
from services.quota_svc.domain.reserving import Reserved
from tests.unit.quota_svc.customer import (
    DAY,
    HOUR,
    METERS,
    MIDNIGHT,
    NEXT_MONTH,
    NOW,
    Customer,
    chat,
    plan,
    story,
    tariff,
    video,
)

FREE = plan("free", chat(5), story(4))
CREATOR = plan("creator", chat(50), video(5))
PRO = plan("pro", chat(None), video(20))
RATES = tariff(FREE, CREATOR, PRO)


@pytest.fixture
def ann() -> Customer:
    return Customer(RATES)


def figures(limit: int | None, granted: int, used: int, held: int, remaining: int, spent: int) -> Figures:
    return Figures(limit, granted, used, held, remaining, spent, None, given=True)


def test_an_admission_says_how_the_meter_stands(ann: Customer) -> None:
    ann.grant(3)
    ann.use(2)
    ann.hold(1)
    assert ann.decision(2) == Decision(
        meter=METERS.meter("chat"),
        figures=Figures(5, 3, 2, 1, 5, 2, MIDNIGHT, given=True),
        amount=2,
        admitted=True,
        reason=Reason.WITHIN_LIMIT,
        soft_limit_reached=False,
        shadow=False,
        plan=FREE,
        calendar=ann.account.calendar,
    )


def test_a_refusal_says_why_and_what_would_unlock_it(ann: Customer) -> None:
    ann.use(4)
    assert ann.decision(2) == Decision(
        meter=METERS.meter("chat"),
        figures=Figures(5, 0, 4, 0, 1, 4, MIDNIGHT, given=True),
        amount=2,
        admitted=False,
        reason=Reason.LIMIT_REACHED,
        soft_limit_reached=True,
        shadow=False,
        plan=FREE,
        calendar=ann.account.calendar,
        unlocks=(CREATOR, PRO),
        message=(
            "This needs 2 chat turns and 1 of the 5 of today can still be used. "
            "They start anew at 2026-11-22T00:00:00+00:00; the Creator plan has 50 a day."
        ),
    )


def test_a_decision_changes_nothing(ann: Customer) -> None:
    ann.decision(2)
    ann.decision(9)
    assert not ann.account.changes


def test_what_is_without_limit_is_admitted_as_such(ann: Customer) -> None:
    ann.move("pro")
    ann.use(900)
    decision = ann.decision(1_000_000_000)
    assert (decision.admitted, decision.reason) == (True, Reason.UNLIMITED)
    assert decision.figures == Figures(None, 0, 900, 0, 0, 900, MIDNIGHT, given=True)
    assert (decision.soft_limit_reached, decision.unlocks, decision.message) == (False, (), "")


def test_what_the_plan_does_not_name_is_not_in_it(ann: Customer) -> None:
    decision = ann.decision(1, "video")
    assert (decision.reason, decision.figures.reset, decision.local_reset) == (Reason.NOT_IN_PLAN, None, "")
    assert decision.unlocks == (CREATOR, PRO)


def test_the_smaller_plans_unlock_nothing(ann: Customer) -> None:
    ann.move("pro")
    assert ann.decision(1, "story").unlocks == (FREE,)
    assert ann.decision(99, "video").unlocks == ()


def test_the_end_of_the_period_is_told_by_the_user_s_clock() -> None:
    ann = Customer(RATES, zone="Asia/Kathmandu")
    assert (ann.figures().reset, ann.decision().local_reset) == (
        NOW + timedelta(hours=6, minutes=15),
        "2026-11-22T00:00:00+05:45",
    )


def test_what_was_used_of_ended_periods_is_not_counted(ann: Customer) -> None:
    ann.use(4)
    ann.until(MIDNIGHT)
    assert ann.figures() == Figures(5, 0, 0, 0, 5, 0, MIDNIGHT + DAY, given=True)


def said(ann: Customer, amount: int, meter: str) -> str:
    return ann.refusal({meter: amount}).message


def test_a_refusal_says_that_all_is_used(ann: Customer) -> None:
    ann.use(5)
    assert said(ann, 1, "chat") == (
        "All 5 chat turns of today are used. "
        "They start anew at 2026-11-22T00:00:00+00:00; the Creator plan has 50 a day."
    )


def test_a_refusal_says_that_work_in_progress_holds_the_rest(ann: Customer) -> None:
    ann.move("creator")
    ann.use(48)
    ann.hold(2)
    assert said(ann, 1, "chat") == (
        "All 50 chat turns of today are used or held by work in progress. "
        "They start anew at 2026-11-22T00:00:00+00:00; the Pro plan has no limit."
    )


def test_a_refusal_says_how_much_can_still_be_used(ann: Customer) -> None:
    ann.move("pro")
    ann.use({"video": 18})
    assert said(ann, 3, "video") == (
        "This needs 3 videos and 2 of the 20 of this month can still be used. "
        "They start anew at 2026-12-01T00:00:00+00:00."
    )
    assert ann.figures("video").reset == NEXT_MONTH


def test_a_refusal_says_that_the_plan_has_nothing_of_it(ann: Customer) -> None:
    assert said(ann, 1, "video") == "The Free plan has no videos: its limit is 0. The Creator plan has 5 a month."


def test_a_refusal_says_when_the_units_of_a_rolling_allowance_come_back(ann: Customer) -> None:
    ann.use({"story": 4})
    assert said(ann, 1, "story") == "All 4 stories are used. Units come back at 2026-11-21T15:00:00+00:00."


def test_a_refusal_tells_the_larger_plan_s_window_in_words() -> None:
    rolling = plan("plus", Allowance("chat", 30, Period.ROLLING, window=3 * HOUR))
    ann = Customer(tariff(plan("free"), rolling))
    assert said(ann, 1, "chat") == ("The Free plan has no chat turns: its limit is 0. The Plus plan has 30 a 3 hours.")


def test_a_refusal_on_credit_alone_names_no_period(ann: Customer) -> None:
    ann.grant(2, "video")
    ann.hold({"video": 2})
    assert said(ann, 1, "video") == (
        "All 2 videos are used or held by work in progress. The Creator plan has 5 a month."
    )


def test_a_refusal_says_that_a_correction_took_more_than_there_was(ann: Customer) -> None:
    ann.adjust(-8)
    assert said(ann, 1, "chat") == (
        "A correction took 3 more chat turns than there were. "
        "They start anew at 2026-11-22T00:00:00+00:00; the Creator plan has 50 a day."
    )


@pytest.mark.parametrize(
    ("used", "held", "reached"), [(3, 0, False), (4, 0, True), (3, 1, True), (0, 4, True), (0, 3, False), (5, 0, True)]
)
def test_the_soft_limit_is_reached_at_four_fifths_of_what_is_used_and_held(
    ann: Customer, used: int, held: int, reached: bool
) -> None:
    if used:
        ann.use(used)
    if held:
        ann.hold(held)
    assert ann.decision().soft_limit_reached is reached


def test_the_answer_to_a_hold_says_that_it_reaches_the_soft_limit(ann: Customer) -> None:
    below, reaching = ann.reserve(3), ann.reserve(1)
    assert isinstance(below, Reserved)
    assert isinstance(reaching, Reserved)
    assert [one.decisions[0].soft_limit_reached for one in (below, reaching)] == [False, True]


@pytest.mark.parametrize(
    ("stand", "with_held", "without"),
    [
        (figures(10, 0, 3, 2, 5, 3), 50, 30),
        (figures(3, 0, 1, 0, 2, 1), 33, 33),
        (figures(None, 0, 9, 9, 0, 9), 0, 0),
        (figures(0, 0, 0, 0, 0, 0), 0, 0),
        (figures(5, 0, 12, 0, 0, 12), 100, 100),
        (figures(5, -9, 5, 0, -9, 5), 100, 100),
    ],
)
def test_the_share_that_is_taken_is_of_all_open_credit(stand: Figures, with_held: int, without: int) -> None:
    assert (stand.taken_percent(), stand.taken_percent(held=False)) == (with_held, without)


def test_after_a_decision_the_units_are_held(ann: Customer) -> None:
    decision = ann.decision(2)
    assert decision.taken(2) == replace(decision, figures=replace(decision.figures, held=2, remaining=3))
