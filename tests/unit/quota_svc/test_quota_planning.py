from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import AlreadyExists, InvalidArgument, NotFound
from services.quota_svc.domain.calendar import Calendar, Period
from services.quota_svc.domain.event import Reset, Updated
from services.quota_svc.domain.hold import HoldState
from services.quota_svc.domain.plan import Allowance
from services.quota_svc.domain.record import PlanChange
from tests.unit.quota_svc.customer import (
    DAY,
    HOUR,
    MIDNIGHT,
    NEXT_MONTH,
    NOW,
    Customer,
    chat,
    plan,
    story,
    tariff,
    uuid,
    video,
)

RATES = tariff(
    plan("free", chat(5)),
    plan("plus", chat(20), video(10)),
    plan("pro", chat(None), video(30, rollover=5), story(10)),
    plan("monthly", Allowance("chat", 100, Period.MONTH)),
    plan("rolling", story(4)),
    plan("none"),
)
ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu")


@pytest.fixture
def ann() -> Customer:
    return Customer(RATES)


def stand(ann: Customer, meter: str = "chat") -> tuple[int | None, int, int]:
    """Limit, used, remaining."""
    figures = ann.figures(meter)
    return figures.limit, figures.used, figures.remaining


def test_a_change_of_plan_says_what_it_was(ann: Customer) -> None:
    change = ann.move("plus", request=uuid(1))
    assert change == PlanChange(uuid(1), "plans/plus", "plans/free", NOW, change.fingerprint)
    assert ann.account.changes.plan_changes == [change]


def test_what_was_used_counts_against_the_larger_plan(ann: Customer) -> None:
    ann.use(4)
    ann.move("plus")
    assert stand(ann) == (20, 4, 16)
    assert stand(ann, "video") == (10, 0, 10)


def test_after_a_change_to_a_smaller_plan_more_may_be_used_than_the_limit(ann: Customer) -> None:
    ann.move("plus")
    ann.use(12)
    ann.move("free")
    assert stand(ann) == (5, 12, 0)
    ann.until(MIDNIGHT)
    assert stand(ann) == (5, 0, 5)


@pytest.mark.parametrize("by_way_of", ["plus", "pro", "monthly", "rolling", "none", "free"])
def test_changing_to_and_fro_refills_nothing(ann: Customer, by_way_of: str) -> None:
    ann.use(4)
    ann.move(by_way_of)
    ann.wait(HOUR)
    ann.move("free")
    assert (stand(ann), ann.figures().reset) == ((5, 4, 1), MIDNIGHT)


def test_what_was_used_in_between_counts_too(ann: Customer) -> None:
    ann.use(1)
    ann.move("pro")
    ann.use(3)
    ann.move("none")
    ann.move("free")
    assert stand(ann) == (5, 4, 1)


def test_coming_back_in_another_period_is_coming_anew(ann: Customer) -> None:
    ann.use(5)
    ann.move("monthly")
    ann.until(MIDNIGHT)
    ann.move("free")
    assert stand(ann) == (5, 0, 5)


def test_a_rolling_allowance_is_not_refilled_by_changing_to_and_fro(ann: Customer) -> None:
    ann.move("rolling")
    ann.use({"story": 3})
    ann.wait(HOUR)
    ann.move("free")
    ann.move("rolling")
    assert stand(ann, "story") == (4, 3, 1)
    ann.wait(3 * HOUR)
    assert stand(ann, "story") == (4, 0, 4)


def test_what_a_hold_on_a_plan_that_was_left_is_charged_comes_back_once(ann: Customer) -> None:
    ann.move("rolling")
    hold = ann.hold({"story": 3}, life=9 * HOUR)
    ann.move("rolling")
    assert stand(ann, "story") == (4, 3, 1)
    ann.settle(hold, {"story": 3})
    assert stand(ann, "story") == (4, 3, 1)
    ann.wait(DAY)
    assert stand(ann, "story") == (4, 0, 4)


def test_a_change_that_resets_starts_all_allowances_anew(ann: Customer) -> None:
    ann.use(5)
    ann.move("plus", reset=True)
    assert stand(ann) == (20, 0, 20)
    assert ann.told(Reset) == [Reset("chat", 20), Reset("video", 10)]


def test_after_a_reset_nothing_of_earlier_plans_counts(ann: Customer) -> None:
    ann.use(5)
    ann.move("none")
    ann.move("plus", reset=True)
    ann.move("free")
    assert stand(ann) == (5, 0, 5)


def test_what_the_old_plan_gave_lapses_and_granted_credit_stays(ann: Customer) -> None:
    ann.grant(7)
    ann.use(2)
    ann.move("none")
    assert ann.moved()[-1] == ("lapse", 3, 7, NOW)
    assert stand(ann) == (0, 0, 7)


def test_what_rolled_over_lapses_with_the_plan_too(ann: Customer) -> None:
    ann.move("pro")
    ann.until(NEXT_MONTH)
    assert ann.remaining("video") == 35
    ann.move("plus")
    assert ann.remaining("video") == 10


def test_a_hold_on_the_old_plan_stays_good_and_counts_as_used(ann: Customer) -> None:
    hold = ann.hold(3)
    ann.move("plus")
    assert stand(ann) == (20, 3, 17)
    settled = ann.settle(hold, 3)
    assert (settled.state, settled.lines[0].settled) == (HoldState.SETTLED, 3)
    assert stand(ann) == (20, 3, 17)


def test_from_no_limit_what_was_used_counts(ann: Customer) -> None:
    ann.move("pro")
    assert stand(ann) == (None, 0, 0)
    ann.use(50)
    ann.move("plus")
    assert stand(ann) == (20, 50, 0)


def test_the_same_change_again_changes_nothing_and_another_is_refused(ann: Customer) -> None:
    change = ann.move("plus", request=uuid(1))
    ann.move("free")
    assert ann.move("plus", request=uuid(1)) == change
    assert ann.account.plan == "plans/free"
    with pytest.raises(AlreadyExists) as refusal:
        ann.move("plus", reset=True, request=uuid(1))
    assert refusal.value.reason == "REQUEST_ID_REUSED"


def test_a_plan_that_is_not_on_offer_is_refused(ann: Customer) -> None:
    ann.use(1)
    with pytest.raises(NotFound) as refusal:
        ann.move("gold")
    assert (refusal.value.reason, ann.account.plan, ann.remaining()) == ("PLAN_NOT_FOUND", "plans/free", 4)


def test_months_are_counted_from_the_anchor_of_the_plan(ann: Customer) -> None:
    ann.move("plus", anchor=datetime(2026, 10, 31, 9, 30, tzinfo=UTC))
    assert ann.figures("video").reset == datetime(2026, 11, 30, 9, 30, tzinfo=UTC)
    ann.move("plus")
    assert ann.figures("video").reset == NEXT_MONTH


def test_a_change_of_plan_tells_every_meter_of_both_plans(ann: Customer) -> None:
    ann.move("plus")
    ann.account.flush()
    ann.move("rolling")
    assert ann.told(Updated) == [
        Updated("chat", 0, False, 0),
        Updated("video", 0, False, 0),
        Updated("story", 4, False, 0),
    ]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../UTC", "Europe", "Europe/\0", "Ü"])
def test_a_time_zone_that_does_not_exist_is_refused(ann: Customer, zone: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        ann.live_in(zone)
    assert [one.field for one in refusal.value.violations] == ["quota.time_zone"]
    assert (ann.account.calendar, bool(ann.account.changes)) == (Calendar(), False)


def test_days_begin_in_the_new_time_zone(ann: Customer) -> None:
    ann.live_in("Asia/Tokyo")
    assert ann.decision().local_reset == "2026-11-23T00:00:00+09:00"
    ann.until(datetime(2026, 11, 22, 15, tzinfo=UTC))
    assert ann.decision().local_reset == "2026-11-24T00:00:00+09:00"


def test_to_the_same_time_zone_nothing_changes(ann: Customer) -> None:
    ann.live_in("UTC")
    assert not ann.account.changes


@pytest.mark.parametrize("used", [0, 5])
@pytest.mark.parametrize(
    ("zone", "reset"),
    [
        ("Asia/Tokyo", datetime(2026, 11, 22, 15, tzinfo=UTC)),
        ("America/Los_Angeles", datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ("Africa/Abidjan", MIDNIGHT),
    ],
)
def test_a_running_day_goes_on_to_the_first_midnight_of_the_new_zone_that_is_not_before_its_end(
    ann: Customer, used: int, zone: str, reset: datetime
) -> None:
    if used:
        ann.use(used)
    ann.live_in(zone)
    assert (ann.figures().reset, ann.remaining()) == (reset, 5 - used)


def test_a_running_month_goes_on_to_the_first_of_a_month_that_is_not_before_its_end(ann: Customer) -> None:
    ann.move("plus")
    ann.live_in("America/Los_Angeles")
    assert ann.figures("video").reset == datetime(2026, 12, 1, 8, tzinfo=UTC)
    ann.live_in("UTC")
    assert ann.figures("video").reset == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_change_of_plan_after_one_of_zone_does_not_shorten_the_day(ann: Customer) -> None:
    ann.use(5)
    ann.live_in("Asia/Tokyo")
    ann.move("plus")
    ann.move("free")
    assert (ann.figures().reset, ann.remaining()) == (datetime(2026, 11, 22, 15, tzinfo=UTC), 0)


def test_a_change_of_zone_while_on_another_plan_gives_no_credit_early(ann: Customer) -> None:
    ann.use(5)
    ann.move("monthly")
    ann.live_in("Asia/Tokyo")
    ann.move("free")
    assert (ann.figures().reset, ann.remaining()) == (datetime(2026, 11, 22, 15, tzinfo=UTC), 0)


moves = st.lists(
    st.tuples(st.integers(0, 40).map(lambda hours: timedelta(hours=hours)), st.sampled_from(ZONES)),
    min_size=1,
    max_size=12,
)


@given(moves=moves, greedy=st.booleans())
def test_no_change_of_zone_gives_credit_early(moves: Sequence[tuple[timedelta, str]], greedy: bool) -> None:
    ann = Customer(RATES, on="plans/plus")
    for wait, zone in moves:
        ann.wait(wait)
        for meter in ("chat", "video"):
            if greedy and ann.remaining(meter):
                ann.use({meter: ann.remaining(meter)})
        before = {meter: (ann.remaining(meter), ann.figures(meter).reset) for meter in ("chat", "video")}
        ann.live_in(zone)
        for meter, (remaining, reset) in before.items():
            after = ann.figures(meter)
            assert reset is not None
            assert after.reset is not None
            assert (after.remaining, after.reset >= reset) == (remaining, True)


@given(moves=moves)
def test_whoever_draws_all_they_can_gets_a_new_day_no_sooner_than_a_day_after_the_last(
    moves: Sequence[tuple[timedelta, str]],
) -> None:
    ann = Customer(RATES)
    refills: list[datetime] = []
    for wait, zone in moves:
        end = ann.now + wait
        while ann.now <= end:
            if ann.remaining():
                refills.append(ann.now)
                ann.use(ann.remaining())
            ann.now += HOUR
        ann.now = end
        ann.live_in(zone)
    # The first day was running already; what comes on the hour may be seen up to an hour late.
    gaps = [later - earlier for earlier, later in pairwise(refills[1:])]
    assert all(gap >= timedelta(hours=23) for gap in gaps)
