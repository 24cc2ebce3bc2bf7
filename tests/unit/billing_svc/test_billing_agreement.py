from datetime import datetime, timedelta

import pytest

from services.billing_svc.domain.agreement import RENEWAL_SLACK, State
from tests.service.billing_svc.shop import MONTH, NOW, agreed

END = NOW + MONTH
GRACE = NOW + timedelta(days=7)
A_MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        (State.ACTIVE, END + RENEWAL_SLACK),
        (State.TRIALING, END + RENEWAL_SLACK),
        (State.PAST_DUE, GRACE),
        (State.PAUSED, END),
        (State.CANCELLED, END),
    ],
    ids=str,
)
def test_an_agreement_is_in_force_until_its_state_lets_it_end(state: State, ends: datetime) -> None:
    one = agreed(state=state, grace_end=GRACE)
    assert (one.in_force(ends - A_MOMENT), one.in_force(ends), one.changes_at(NOW)) == (True, False, ends)
    assert one.changes_at(ends) is None


def test_one_that_is_over_is_never_in_force() -> None:
    one = agreed(state=State.EXPIRED)
    assert (one.in_force(NOW), one.over(NOW), one.changes_at(NOW)) == (False, True, None)


def test_an_unpaid_one_without_a_grace_ends_with_its_period() -> None:
    assert agreed(state=State.PAST_DUE).ends == END


def test_one_whose_payment_went_back_gives_nothing_until_that_period_is_over() -> None:
    one = agreed(period_end=END + MONTH, revoked_until=END)
    assert (one.in_force(NOW), one.in_force(END - A_MOMENT), one.in_force(END)) == (False, False, True)
    assert (one.changes_at(NOW), one.changes_at(END)) == (END, END + MONTH + RENEWAL_SLACK)


@pytest.mark.parametrize("state", [State.ACTIVE, State.TRIALING, State.PAST_DUE, State.PAUSED], ids=str)
def test_one_that_may_go_on_is_not_over_however_late_it_is(state: State) -> None:
    assert not agreed(state=state).over(END + timedelta(days=1000))


def test_a_cancelled_one_is_over_when_its_period_is() -> None:
    one = agreed(state=State.CANCELLED)
    assert (one.over(END - A_MOMENT), one.over(END)) == (False, True)


@pytest.mark.parametrize(
    ("state", "moment", "seen"),
    [
        (State.ACTIVE, END + RENEWAL_SLACK - A_MOMENT, State.ACTIVE),
        (State.ACTIVE, END + RENEWAL_SLACK, State.EXPIRED),
        (State.TRIALING, END + RENEWAL_SLACK, State.EXPIRED),
        (State.CANCELLED, END, State.EXPIRED),
        (State.PAUSED, END + MONTH, State.PAUSED),
        (State.PAST_DUE, END + MONTH, State.PAST_DUE),
    ],
    ids=str,
)
def test_a_person_sees_that_one_has_ended(state: State, moment: datetime, seen: State) -> None:
    assert agreed(state=state).at(moment) == agreed(state=seen)
