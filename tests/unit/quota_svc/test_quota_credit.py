from dataclasses import replace
from datetime import timedelta

from services.quota_svc.domain.credit import ENDLESS, Credit, CreditState, Source
from tests.unit.quota_svc.customer import DAY, HOUR, NOW, Customer, chat, plan, tariff, uuid

CREDIT = Credit(uuid(1), "chat", Source.PROMO, 100, 5, NOW, NOW + DAY, NOW, CreditState.OPEN, 5)


def test_credit_is_drawn_on_by_priority_then_by_soonest_end_then_by_age() -> None:
    first = replace(CREDIT, priority=1, expire=None, start=NOW + HOUR)
    second = replace(CREDIT, priority=10, expire=NOW + DAY)
    third = replace(CREDIT, expire=NOW + HOUR, start=NOW + timedelta(minutes=1))
    fourth = replace(CREDIT, start=NOW - DAY)
    fifth = CREDIT
    sixth = replace(CREDIT, expire=None, start=NOW - DAY)
    order = [first, second, third, fourth, fifth, sixth]
    mixed = [third, sixth, first, fifth, second, fourth]
    assert sorted(mixed, key=lambda credit: credit.turn) == order


def test_what_has_rolled_over_is_drawn_on_before_the_allowance_beside_it() -> None:
    for number in range(20):
        allowance = replace(CREDIT, id=uuid(100), allowance=True)
        rolled = replace(CREDIT, id=uuid(90 + number))
        assert rolled.turn < allowance.turn


def test_a_credit_does_something_by_itself_when_it_begins_and_when_it_ends() -> None:
    dues = {state: replace(CREDIT, state=state).due for state in CreditState}
    assert dues == {
        CreditState.SCHEDULED: NOW,
        CreditState.OPEN: NOW + DAY,
        CreditState.ENDING: ENDLESS,
        CreditState.CLOSED: ENDLESS,
    }
    assert replace(CREDIT, expire=None).due == ENDLESS


def test_a_hold_draws_on_several_credits_in_their_order() -> None:
    ann = Customer(tariff(plan("free", chat(2))))
    late = ann.grant(2, expire=NOW + 9 * DAY).id
    soon = ann.grant(2, expire=NOW + 3 * DAY).id
    bought = ann.grant(9, source=Source.PURCHASE).id
    first = ann.grant(1, priority=1).id
    lots = ann.account.holds[ann.hold(8)].lines[0].lots
    allowance = next(one.id for one in ann.account.credits.values() if one.allowance)
    assert [(lot.credit, lot.amount) for lot in lots] == [(first, 1), (allowance, 2), (soon, 2), (late, 2), (bought, 1)]
