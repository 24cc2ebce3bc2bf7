import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing_svc.domain.payment import Line, PaymentState
from tests.service.billing_svc.shop import paid

PACK = Line("pack", "packs/small", 499, credits=100)


def test_a_payment_pays_until_all_of_it_goes_back() -> None:
    assert [paid(refunded=cents).pays for cents in (0, 1498, 1499)] == [True, True, False]


def test_a_disputed_payment_went_back_as_a_whole() -> None:
    disputed = paid(disputed=True, refunded=10)
    assert (disputed.returned, disputed.pays) == (1499, False)


@pytest.mark.parametrize("state", [PaymentState.OPEN, PaymentState.VOID], ids=str)
def test_what_did_not_go_through_pays_for_nothing(state: PaymentState) -> None:
    assert not paid(state=state).pays


def test_a_payment_of_nothing_pays_as_a_trial_does() -> None:
    trial = paid(cents=0)
    assert (trial.pays, trial.reclaimed(PACK)) == (True, 0)


def test_no_more_goes_back_than_was_paid() -> None:
    assert paid(refunded=2000).returned == 1499


@pytest.mark.parametrize(("refunded", "taken"), [(0, 0), (1, 1), (250, 51), (499, 100), (900, 100)])
def test_the_share_of_the_money_that_went_back_is_taken_back_rounded_up(refunded: int, taken: int) -> None:
    assert paid("ann", "packs/small", refunded=refunded).reclaimed(PACK) == taken


@given(
    cents=st.integers(1, 100_000),
    given_credits=st.integers(0, 10_000),
    refunds=st.lists(st.integers(0, 120_000), min_size=2, max_size=2),
)
def test_more_money_back_never_leaves_more_credits(cents: int, given_credits: int, refunds: list[int]) -> None:
    line = Line("pack", "packs/small", cents, credits=given_credits)
    less, more = (paid(cents=cents, refunded=refunded).reclaimed(line) for refunded in sorted(refunds))
    assert 0 <= less <= more <= given_credits
