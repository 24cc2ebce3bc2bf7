from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.quota_svc.domain.meter import Figures, Meter, Split, window
from services.quota_svc.domain.plan import Allowance, Period, Window

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY = Period.DAY.window(NOW)

units = st.integers(min_value=0, max_value=50)


def meter(amount: int | None, figures: Figures) -> Meter:
    return Meter("chat", Allowance("chat", amount, Period.DAY), TODAY, figures)


@st.composite
def sound_figures(draw: st.DrawFn) -> Figures:
    granted = draw(units)
    return Figures(draw(units), draw(units), granted, draw(st.integers(0, granted)))


@given(amount=st.integers(1, 50), figures=sound_figures())
def test_what_remains_is_what_the_contract_says_and_never_negative(amount: int, figures: Figures) -> None:
    one = meter(amount, figures)
    assert one.remaining == one.limit + figures.granted - figures.used - one.held
    assert one.remaining >= 0


@given(amount=st.integers(1, 50), figures=sound_figures(), asked=st.integers(1, 200))
def test_a_split_takes_all_that_is_asked_from_the_allowance_first_or_nothing(
    amount: int, figures: Figures, asked: int
) -> None:
    one = meter(amount, figures)
    split = one.split(asked)
    if split is None:
        assert asked > one.remaining
        return
    left = one.limit - figures.used - figures.held_from_allowance
    assert split == Split(min(asked, left), asked - min(asked, left))
    assert split.from_grants <= figures.granted - figures.held_from_grants


def test_a_hold_without_limit_comes_from_the_allowance() -> None:
    one = meter(None, Figures(used=900, held_from_allowance=7, granted=3))
    assert (one.unlimited, one.limit, one.remaining, one.split(1_000_000)) == (True, 0, 0, Split(1_000_000, 0))


def test_a_smaller_plan_does_not_eat_the_credit_that_was_granted() -> None:
    one = meter(5, Figures(used=20, held_from_allowance=2, granted=10))
    assert (one.limit, one.remaining, one.split(10), one.split(11)) == (22, 10, Split(0, 10), None)


def test_a_meter_that_the_plan_does_not_know_has_what_was_granted() -> None:
    none = Meter("video", None, window(None, NOW), Figures())
    granted = Meter("video", None, window(None, NOW), Figures(granted=2))
    assert (none.limit, none.remaining, none.reset_time, none.split(1)) == (0, 0, None, None)
    assert (granted.limit, granted.remaining, granted.reset_time, granted.split(2)) == (0, 2, None, Split(0, 2))


def test_a_meter_starts_anew_at_the_end_of_its_period() -> None:
    assert meter(5, Figures()).reset_time == datetime(2026, 11, 22, tzinfo=UTC)


def test_no_charge_counts_against_no_allowance() -> None:
    assert window(None, NOW) == Window(NOW, NOW)
