"""What time alone does to an account."""

from datetime import UTC, datetime, timedelta

import pytest

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.credit import ENDLESS, CreditState, Source
from services.quota_svc.domain.entry import EntryKind
from services.quota_svc.domain.hold import HoldState
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
    video,
)

RATES = tariff(plan("free", chat(5)), plan("none"), plan("carry", video(10, rollover=4)), plan("rolling", story(4)))
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def ann() -> Customer:
    return Customer(RATES)


@pytest.fixture
def bare() -> Customer:
    return Customer(RATES, on="plans/none")


@pytest.fixture
def carry() -> Customer:
    customer = Customer(RATES)
    customer.move("carry")
    return customer


@pytest.fixture
def rolling() -> Customer:
    return Customer(RATES, on="plans/rolling")


def test_a_hold_gives_itself_back_at_its_end_and_not_before(ann: Customer) -> None:
    hold = ann.hold(5)
    ann.until(NOW + HOUR - MICROSECOND)
    assert (ann.account.holds[hold].state, ann.remaining()) == (HoldState.HELD, 0)
    ann.until(NOW + HOUR)
    expired = ann.account.hold(hold)
    assert (expired.state, expired.resolved, ann.remaining()) == (HoldState.EXPIRED, NOW + HOUR, 5)


def test_a_hold_that_expired_long_ago_is_dated_at_its_end(ann: Customer) -> None:
    hold = ann.hold(5)
    ann.wait(30 * DAY)
    assert ann.account.hold(hold).resolved == NOW + HOUR


def test_an_allowance_that_nobody_draws_on_makes_no_entries(ann: Customer) -> None:
    ann.wait(90 * DAY)
    assert (ann.remaining(), ann.figures().reset) == (5, datetime(2027, 2, 20, tzinfo=UTC))
    assert not ann.account.changes
    assert ann.account.due == ENDLESS


def test_an_allowance_starts_anew_at_midnight_and_not_before(ann: Customer) -> None:
    ann.use(5)
    ann.until(MIDNIGHT - MICROSECOND)
    assert ann.remaining() == 0
    ann.until(MIDNIGHT)
    assert ann.remaining() == 5


def test_what_is_unused_of_an_allowance_lapses_at_its_end_however_late_somebody_looks(ann: Customer) -> None:
    ann.use(2)
    ann.wait(40 * DAY)
    assert ann.moved() == [
        ("allowance", 5, 5, NOW),
        ("charge", 2, 3, NOW),
        ("lapse", 3, 0, MIDNIGHT),
    ]


def test_the_day_begins_at_the_user_s_midnight() -> None:
    ann = Customer(RATES, zone="Asia/Tokyo")
    ann.use(5)
    assert ann.figures().reset == datetime(2026, 11, 21, 15, tzinfo=UTC)
    ann.until(datetime(2026, 11, 21, 15, tzinfo=UTC))
    assert ann.remaining() == 5


def test_credit_ends_at_its_instant_and_lapses_then(bare: Customer) -> None:
    bare.grant(3, expire=NOW + DAY)
    bare.until(NOW + DAY - MICROSECOND)
    assert bare.remaining() == 3
    bare.until(NOW + 9 * DAY)
    assert bare.remaining() == 0
    assert bare.moved() == [("grant", 3, 3, NOW), ("lapse", 3, 0, NOW + DAY)]


def test_what_a_hold_keeps_of_credit_that_has_ended_can_still_be_charged(bare: Customer) -> None:
    credit = bare.grant(5, expire=NOW + DAY).id
    hold = bare.hold(3, life=48 * HOUR)
    bare.until(NOW + DAY)
    assert (bare.remaining(), bare.account.credits[credit].state) == (0, CreditState.ENDING)
    bare.wait(HOUR)
    bare.settle(hold, 2)
    assert bare.moved() == [
        ("grant", 5, 5, NOW),
        ("lapse", 2, 3, NOW + DAY),
        ("charge", 2, 1, NOW + DAY + HOUR),
        ("lapse", 1, 0, NOW + DAY + HOUR),
    ]


def test_what_a_hold_kept_of_credit_that_has_ended_lapses_when_it_is_released(bare: Customer) -> None:
    bare.grant(5, expire=NOW + DAY)
    first, second = bare.hold(1, life=90 * HOUR), bare.hold(3, life=48 * HOUR)
    bare.until(NOW + DAY + HOUR)
    bare.release(first)
    assert bare.moved()[1:] == [("lapse", 1, 4, NOW + DAY), ("lapse", 1, 3, NOW + DAY + HOUR)]
    bare.wait(9 * DAY)
    assert bare.account.hold(second).state is HoldState.EXPIRED
    assert bare.moved()[3:] == [("lapse", 3, 0, NOW + 48 * HOUR)]
    assert bare.remaining() == 0


def test_a_hold_and_its_credit_that_end_together_lapse_once(bare: Customer) -> None:
    bare.grant(5, expire=NOW + HOUR)
    bare.hold(3, life=HOUR)
    bare.wait(DAY)
    assert bare.moved()[1:] == [("lapse", 5, 0, NOW + HOUR)]


def test_yesterday_s_hold_counts_for_yesterday(ann: Customer) -> None:
    ann.until(MIDNIGHT - HOUR / 2)
    hold = ann.hold(5)
    ann.until(MIDNIGHT)
    assert (ann.remaining(), ann.figures().used) == (5, 0)
    ann.settle(hold, 5)
    assert (ann.remaining(), ann.figures().used) == (5, 0)


def test_credit_begins_at_its_instant_and_is_dated_then(bare: Customer) -> None:
    bare.grant(3, start=NOW + DAY, expire=NOW + 2 * DAY)
    assert (bare.remaining(), bare.entries) == (0, [])
    bare.until(NOW + DAY - MICROSECOND)
    assert bare.refusal().figures.remaining == 0
    bare.until(NOW + DAY)
    assert bare.remaining() == 3
    bare.wait(HOUR)
    bare.use(1)
    assert bare.moved() == [("grant", 3, 3, NOW + DAY), ("charge", 1, 2, NOW + DAY + HOUR)]


def test_credit_that_began_and_ended_while_nobody_looked_is_told_in_order(bare: Customer) -> None:
    bare.grant(2, start=NOW + 3 * DAY, expire=NOW + 4 * DAY)
    bare.grant(3, start=NOW + DAY, expire=NOW + 2 * DAY)
    bare.wait(9 * DAY)
    assert bare.moved() == [
        ("grant", 3, 3, NOW + DAY),
        ("lapse", 3, 0, NOW + 2 * DAY),
        ("grant", 2, 2, NOW + 3 * DAY),
        ("lapse", 2, 0, NOW + 4 * DAY),
    ]


def test_unused_credit_lives_on_once_for_as_long_again(bare: Customer) -> None:
    bare.grant(5, expire=NOW + 2 * DAY, rollover=3)
    bare.wait(9 * DAY)
    assert bare.moved() == [
        ("grant", 5, 5, NOW),
        ("lapse", 5, 0, NOW + 2 * DAY),
        ("rollover", 3, 3, NOW + 2 * DAY),
        ("lapse", 3, 0, NOW + 4 * DAY),
    ]


def test_what_a_hold_keeps_does_not_live_on(bare: Customer) -> None:
    bare.grant(5, expire=NOW + DAY, rollover=3)
    bare.hold(4, life=48 * HOUR)
    bare.until(NOW + DAY)
    assert bare.remaining() == 1


def test_of_an_unused_allowance_so_much_rolls_over_and_is_used_first(carry: Customer) -> None:
    carry.use({"video": 3})
    carry.until(NEXT_MONTH)
    assert (carry.remaining("video"), carry.figures("video").limit, carry.figures("video").granted) == (14, 10, 4)
    carry.use({"video": 5})
    assert (carry.figures("video").granted, carry.figures("video").used) == (0, 1)
    carry.until(datetime(2027, 1, 1, tzinfo=UTC))
    assert carry.remaining("video") == 14


def test_what_rolled_over_does_not_roll_over_again(carry: Customer) -> None:
    carry.until(NEXT_MONTH)
    carry.use({"video": 1})
    carry.until(datetime(2027, 1, 1, tzinfo=UTC))
    assert carry.remaining("video") == 14


def test_less_rolls_over_when_less_was_left(carry: Customer) -> None:
    carry.use({"video": 8})
    carry.until(NEXT_MONTH)
    assert carry.remaining("video") == 12
    carry.use({"video": 12})
    carry.until(datetime(2027, 1, 1, tzinfo=UTC))
    assert carry.remaining("video") == 10


def test_an_absence_of_many_periods_leaves_what_one_period_can(carry: Customer) -> None:
    carry.use({"video": 8})
    carry.until(datetime(2027, 6, 15, tzinfo=UTC))
    assert carry.remaining("video") == 14
    assert carry.moved() == [
        ("allowance", 10, 10, NOW),
        ("charge", 8, 2, NOW),
        ("lapse", 2, 0, NEXT_MONTH),
        ("allowance", 10, 10, datetime(2027, 6, 1, tzinfo=UTC)),
        ("rollover", 4, 14, datetime(2027, 6, 1, tzinfo=UTC)),
    ]


def test_an_absence_of_many_periods_keeps_the_entries_in_order_of_time(carry: Customer) -> None:
    carry.use({"video": 8})
    carry.grant(3, expire=datetime(2027, 2, 1, tzinfo=UTC))
    carry.until(datetime(2027, 6, 15, tzinfo=UTC))
    times = [one.time for one in carry.entries]
    assert times == sorted(times)
    assert [one.number for one in carry.entries] == list(range(1, len(times) + 1))


def test_what_is_used_of_a_rolling_allowance_comes_back_a_window_after_it_was_taken(rolling: Customer) -> None:
    first = rolling.hold({"story": 3}, life=2 * HOUR)
    rolling.wait(HOUR)
    rolling.settle(first, {"story": 2})
    rolling.use({"story": 1})
    stand = rolling.figures("story")
    assert (stand.limit, stand.used, stand.remaining, stand.reset) == (4, 3, 1, NOW + 3 * HOUR)
    rolling.until(NOW + 3 * HOUR - MICROSECOND)
    assert rolling.remaining("story") == 1
    rolling.until(NOW + 3 * HOUR)
    stand = rolling.figures("story")
    assert (stand.limit, stand.used, stand.remaining, stand.reset) == (4, 1, 3, NOW + 4 * HOUR)
    rolling.wait(DAY)
    stand = rolling.figures("story")
    assert (stand.limit, stand.used, stand.remaining, stand.reset) == (4, 0, 4, None)
    returns = [(one.amount, one.time) for one in rolling.entries if one.kind is EntryKind.RETURN]
    assert returns == [(2, NOW + 3 * HOUR), (1, NOW + 4 * HOUR)]


def test_a_rolling_allowance_is_never_more_than_its_limit(rolling: Customer) -> None:
    for _ in range(40):
        rolling.reserve({"story": 3}, life=HOUR / 2)
        for hold in list(rolling.account.holds):
            rolling.settle(hold, {"story": 2})
        rolling.wait(HOUR / 3)
        assert rolling.figures("story").limit == 4


def test_what_was_held_for_longer_than_the_window_comes_back_at_once(rolling: Customer) -> None:
    hold = rolling.hold({"story": 4}, life=9 * HOUR)
    rolling.wait(5 * HOUR)
    rolling.settle(hold, {"story": 4})
    assert rolling.remaining("story") == 4


def test_credit_that_is_used_up_is_closed_and_stays_so(bare: Customer) -> None:
    credit = bare.grant(2, expire=NOW + DAY).id
    bare.use(2)
    bare.wait(9 * DAY)
    assert [one.kind for one in bare.entries] == [EntryKind.GRANT, EntryKind.CHARGE]
    closed = bare.account.closed[credit]
    assert (closed.state, closed.ended) == (CreditState.CLOSED, NOW)


def test_bought_credit_never_ends(bare: Customer) -> None:
    bare.grant(2, source=Source.PURCHASE)
    bare.wait(3650 * DAY)
    assert (bare.remaining(), len(bare.entries)) == (2, 1)


def test_a_clock_that_runs_back_dates_nothing_before_what_is_written(ann: Customer) -> None:
    ann.use(1)
    ann.now = NOW - HOUR
    hold = ann.account.holds[ann.hold(1)]
    assert (hold.created, hold.expire) == (NOW, NOW + HOUR)
    ann.settle(hold.id, 1)
    assert [one.time for one in ann.entries] == [NOW, NOW, NOW]


def test_an_account_knows_no_later_than_when_something_is_due(ann: Customer) -> None:
    assert ann.account.due == ENDLESS
    ann.grant(1, start=NOW + 9 * DAY)
    assert ann.account.due == NOW + 9 * DAY
    ann.hold(1)
    assert ann.account.due == NOW + HOUR
    ann.wait(HOUR)
    assert ann.account.due == MIDNIGHT


def test_a_copy_can_be_changed_and_thrown_away(ann: Customer) -> None:
    ann.use(1)
    twin = ann.account.copy()
    entries, holds, credits_ = list(ann.entries), dict(ann.account.holds), dict(ann.account.credits)
    kept, ann.account = ann.account, twin
    ann.hold(2)
    ann.grant(5)
    ann.move("carry")
    ann.wait(90 * DAY)
    ann.account.flush()
    ann.account, ann.now = kept, NOW
    assert (ann.entries, ann.account.holds, ann.account.credits) == (entries, holds, credits_)
    assert (ann.account.plan, ann.remaining()) == ("plans/free", 4)


def test_what_is_over_is_forgotten_with_a_flush_and_can_be_recalled(ann: Customer) -> None:
    hold = ann.hold(1)
    settled = ann.settle(hold, 1)
    ann.account.flush()
    assert ann.account.earlier_hold(hold) is None
    ann.account.recall(holds=[settled])
    assert ann.settle(hold, 1) == settled
    assert not ann.account.changes


def test_an_account_that_is_read_anew_keeps_back_what_its_holds_do(ann: Customer) -> None:
    ann.grant(2)
    ann.hold(6, life=9 * HOUR)
    kept = ann.account
    ann.account = Account(
        "ann", kept.time, number=kept.number, credits=kept.credits.values(), holds=kept.holds.values(), version=1
    )
    assert (ann.figures().held, ann.remaining(), ann.account.due) == (6, 1, NOW + 9 * HOUR)
