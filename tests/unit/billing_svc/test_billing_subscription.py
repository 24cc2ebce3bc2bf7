from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing_svc.domain.agreement import RENEWAL_SLACK, Agreement, State
from services.billing_svc.domain.plan import Interval, Provider
from services.billing_svc.domain.subscription import Subscription, changes_at, merged
from tests.service.billing_svc.shop import CATALOGUE, MONTH, NOW, agreed

STORE = agreed(plan="creator", id="rc_1", provider=Provider.REVENUECAT, period_end=NOW + 2 * MONTH)
MOMENTS = st.integers(-60, 60).map(lambda days: NOW + timedelta(days=days))
AGREEMENTS = st.builds(
    Agreement,
    provider=st.sampled_from(Provider),
    id=st.sampled_from("abcd"),
    user=st.just("ann"),
    plan=st.sampled_from(["creator", "pro", "gone"]),
    interval=st.sampled_from(Interval),
    state=st.sampled_from(State),
    start=MOMENTS,
    period_end=MOMENTS,
    grace_end=st.none() | MOMENTS,
    revoked_until=st.none() | MOMENTS,
)
KNOWN = st.lists(AGREEMENTS, max_size=5, unique_by=lambda one: (one.provider, one.id))


def test_who_never_agreed_on_anything_is_on_the_free_plan() -> None:
    assert merged("ann", [], CATALOGUE, NOW) == Subscription("ann", "free", State.ACTIVE)


def test_the_best_plan_counts_even_if_another_is_paid_for_longer() -> None:
    assert merged("ann", [STORE, agreed()], CATALOGUE, NOW) == Subscription(
        "ann", "pro", State.ACTIVE, agreed(), (STORE,)
    )


def test_of_the_same_plan_the_one_that_is_paid_for_longest_counts() -> None:
    longer = agreed(id="rc_1", provider=Provider.REVENUECAT, period_end=NOW + 2 * MONTH)
    assert merged("ann", [agreed(), longer], CATALOGUE, NOW).counts == longer


def test_all_else_equal_the_web_counts_before_a_store() -> None:
    store = agreed(id="a", provider=Provider.REVENUECAT)
    assert merged("ann", [store, agreed()], CATALOGUE, NOW).counts == agreed()


def test_the_other_takes_over_when_the_better_one_ends() -> None:
    ended = agreed(state=State.CANCELLED)
    assert merged("ann", [ended, STORE], CATALOGUE, NOW + MONTH) == Subscription("ann", "creator", State.ACTIVE, STORE)


@pytest.mark.parametrize("state", [State.PAST_DUE, State.PAUSED], ids=str)
def test_what_waits_says_how_the_free_plan_stands(state: State) -> None:
    waiting = agreed(state=state)
    assert merged("ann", [waiting], CATALOGUE, NOW + MONTH) == Subscription("ann", "free", state, waiting)


def test_one_whose_payment_went_back_is_the_free_plan_and_stands_by() -> None:
    refunded = agreed(revoked_until=NOW + MONTH)
    assert merged("ann", [refunded], CATALOGUE, NOW) == Subscription("ann", others=(refunded,))


def test_one_that_was_not_heard_of_again_is_over() -> None:
    assert merged("ann", [agreed()], CATALOGUE, NOW + MONTH + RENEWAL_SLACK) == Subscription("ann")


@given(known=KNOWN, data=st.data())
def test_the_order_in_which_agreements_are_known_changes_nothing(known: list[Agreement], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(known))
    assert merged("ann", shuffled, CATALOGUE, NOW) == merged("ann", known, CATALOGUE, NOW)


@given(known=KNOWN)
def test_nobody_has_a_plan_that_nothing_in_force_gives_or_less_than_the_best(known: list[Agreement]) -> None:
    found = merged("ann", known, CATALOGUE, NOW)
    ranks = [CATALOGUE.rank(one.plan) for one in known if one.in_force(NOW)]
    assert CATALOGUE.rank(found.plan) == max(ranks, default=0)
    assert (found.plan != "free") == bool(ranks)


@given(known=KNOWN, later=st.timedeltas(timedelta(seconds=1), timedelta(days=200)))
def test_between_two_moments_of_change_the_plan_stays(known: list[Agreement], later: timedelta) -> None:
    change = changes_at(known, NOW)
    if change is None or NOW + later < change:
        assert merged("ann", known, CATALOGUE, NOW + later).plan == merged("ann", known, CATALOGUE, NOW).plan
