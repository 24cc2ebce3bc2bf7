from datetime import timedelta

import pytest

from runtime.errors import AlreadyExists, InvalidArgument, NotFound
from services.quota_svc.domain.credit import Credit, CreditState, Source
from services.quota_svc.domain.decision import Reason
from services.quota_svc.domain.entry import Book, EntryKind
from services.quota_svc.domain.granting import GrantOrder
from services.quota_svc.domain.record import Adjustment, AdjustmentReason
from tests.unit.quota_svc.customer import DAY, HOUR, NOW, Customer, chat, plan, tariff, uuid

RATES = tariff(plan("free", chat(5)), plan("none"), plan("pro", chat(None)))


@pytest.fixture
def ann() -> Customer:
    return Customer(RATES)


@pytest.fixture
def bare() -> Customer:
    return Customer(RATES, on="plans/none")


def test_a_grant_opens_credit_with_an_entry(bare: Customer) -> None:
    credit = bare.grant(5, expire=NOW + DAY, rollover=2, priority=7, request=uuid(1))
    order = GrantOrder("ann", uuid(1), "chat", 5, Source.PROMO, 7, None, NOW + DAY, 2)
    assert credit == Credit(
        id=uuid(1),
        meter="chat",
        source=Source.PROMO,
        priority=7,
        amount=5,
        start=NOW,
        expire=NOW + DAY,
        created=NOW,
        state=CreditState.OPEN,
        balance=5,
        rollover=2,
        fingerprint=order.fingerprint,
    )
    entry = bare.entries[0]
    assert (entry.kind, entry.debit, entry.credit, entry.amount, entry.source, entry.credit_id) == (
        EntryKind.GRANT,
        Book.ISSUED,
        Book.AVAILABLE,
        5,
        Source.PROMO,
        uuid(1),
    )


def test_the_same_grant_again_gives_the_same_credit_once(bare: Customer) -> None:
    bare.grant(5, expire=NOW + DAY, request=uuid(1))
    bare.use(2)
    bare.wait(9 * DAY)
    again = bare.grant(5, expire=NOW + DAY, request=uuid(1))
    assert (again.id, again.amount, again.state) == (uuid(1), 5, CreditState.CLOSED)
    assert [one.kind for one in bare.entries] == [EntryKind.GRANT, EntryKind.CHARGE, EntryKind.LAPSE]


def test_another_grant_of_the_same_request_id_is_refused(bare: Customer) -> None:
    bare.grant(5, request=uuid(1))
    with pytest.raises(AlreadyExists) as refusal:
        bare.grant(6, request=uuid(1))
    assert (refusal.value.reason, bare.remaining()) == ("REQUEST_ID_REUSED", 5)


@pytest.mark.parametrize(("start", "expire"), [(None, NOW), (None, NOW - DAY), (NOW + DAY, NOW + DAY)])
def test_credit_cannot_end_before_it_begins(bare: Customer, start: object, expire: object) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        bare.grant(5, start=start, expire=expire)  # type: ignore[arg-type]
    assert [one.field for one in refusal.value.violations] == ["expire_time"]
    assert not bare.account.changes


def test_an_unknown_meter_gets_nothing(bare: Customer) -> None:
    for change in (lambda: bare.grant(1, "song"), lambda: bare.adjust(1, "song")):
        with pytest.raises(InvalidArgument) as refusal:
            change()
        assert refusal.value.reason == "METER_UNKNOWN"
    assert not bare.account.changes


def test_taking_back_goes_below_zero_and_says_so(bare: Customer) -> None:
    bare.grant(5)
    bare.use(3)
    adjustment = bare.adjust(-4, request=uuid(1))
    assert adjustment == Adjustment(uuid(1), "chat", -4, AdjustmentReason.REFUND, -2, NOW, adjustment.fingerprint)
    entry = bare.entries[-1]
    assert (entry.kind, entry.debit, entry.credit, entry.amount, entry.balance) == (
        EntryKind.ADJUSTMENT,
        Book.AVAILABLE,
        Book.RECLAIMED,
        4,
        -2,
    )


def test_a_meter_in_debt_admits_nothing_until_it_is_above_zero_again(bare: Customer) -> None:
    bare.grant(1)
    bare.adjust(-4)
    decision = bare.refusal()
    assert (decision.reason, decision.figures.granted, decision.figures.remaining) == (Reason.IN_DEBT, -3, -3)
    bare.grant(3)
    assert bare.refusal().reason is Reason.LIMIT_REACHED
    bare.adjust(1)
    bare.hold(1)
    assert bare.remaining() == 0


def test_giving_adds_credit_to_the_meter(bare: Customer) -> None:
    assert bare.adjust(4).balance == 4
    entry = bare.entries[-1]
    assert (entry.debit, entry.credit, entry.source) == (Book.ISSUED, Book.AVAILABLE, Source.ADMIN)
    assert bare.remaining() == 4


def test_corrections_of_a_meter_add_up_on_one_credit(bare: Customer) -> None:
    bare.adjust(4)
    bare.adjust(-4)
    bare.adjust(-2)
    bare.adjust(3)
    assert len({one.credit_id for one in bare.entries}) == 1
    assert bare.remaining() == 1


def test_the_credit_that_is_named_is_corrected(bare: Customer) -> None:
    bare.grant(5, priority=1)
    named = bare.grant(5).id
    bare.adjust(-2, credit=named)
    assert bare.account.credits[named].balance == 3
    bare.adjust(-3, credit=named)
    assert bare.account.closed[named].state is CreditState.CLOSED
    bare.adjust(1, credit=named)
    assert (bare.account.credits[named].balance, bare.remaining()) == (1, 6)


def test_credit_whose_time_is_over_or_has_not_come_is_corrected_on_the_meter(bare: Customer) -> None:
    ended = bare.grant(5, expire=NOW + HOUR).id
    future = bare.grant(5, start=NOW + DAY).id
    bare.wait(2 * HOUR)
    bare.adjust(-2, credit=ended)
    bare.adjust(-1, credit=future)
    assert bare.remaining() == -3
    bare.wait(DAY)
    assert bare.remaining() == 2


def test_a_debt_does_not_end_with_its_credit(bare: Customer) -> None:
    credit = bare.grant(5, expire=NOW + HOUR).id
    bare.use(4)
    bare.adjust(-5, credit=credit)
    bare.wait(DAY)
    assert bare.remaining() == -4
    assert bare.account.balance("chat") == bare.entries[-1].balance == -4


def test_what_is_held_can_be_taken_back_and_the_hold_stays_good(bare: Customer) -> None:
    bare.grant(5)
    hold = bare.hold(4)
    bare.adjust(-5)
    assert bare.remaining() == -4
    bare.settle(hold, 4)
    assert bare.remaining() == -4


def test_an_allowance_s_new_day_does_not_forgive_a_debt(ann: Customer) -> None:
    ann.use(5)
    ann.adjust(-8)
    assert ann.remaining() == -8
    ann.wait(DAY)
    assert ann.remaining() == -3


def test_without_a_limit_a_correction_says_the_balance_of_what_is_limited(ann: Customer) -> None:
    ann.move("pro")
    ann.hold(7)
    assert ann.adjust(-3).balance == -3


def test_the_same_adjustment_again_gives_the_same_and_another_is_refused(bare: Customer) -> None:
    made = bare.adjust(-4, request=uuid(1))
    bare.grant(9)
    assert bare.adjust(-4, request=uuid(1)) == made
    with pytest.raises(AlreadyExists):
        bare.adjust(-5, request=uuid(1))
    assert bare.remaining() == 5


def test_there_is_nothing_to_correct_where_there_is_no_account(bare: Customer) -> None:
    bare.account.version = 0
    with pytest.raises(NotFound) as refusal:
        bare.adjust(1)
    assert refusal.value.reason == "ACCOUNT_NOT_FOUND"


def test_there_is_nothing_to_correct_on_a_credit_that_is_unknown_or_a_plan_s_or_another_meter_s(ann: Customer) -> None:
    granted = ann.grant(1, "video").id
    ann.use(1)
    allowance = next(one.id for one in ann.account.credits.values() if one.allowance)
    entries = len(ann.entries)
    for credit in (granted, allowance, uuid(9)):
        with pytest.raises(NotFound) as refusal:
            ann.adjust(-1, credit=credit)
        assert refusal.value.reason == "CREDIT_NOT_FOUND"
    assert len(ann.entries) == entries


def test_a_grant_with_a_beginning_in_the_past_is_open_at_once_and_lives_on_for_as_long_as_it_was_meant_to(
    bare: Customer,
) -> None:
    bare.grant(2, start=NOW - 2 * DAY, expire=NOW + DAY, rollover=2)
    assert (bare.remaining(), bare.entries[0].time) == (2, NOW)
    bare.until(NOW + 4 * DAY - timedelta(microseconds=1))
    assert bare.remaining() == 2
    bare.until(NOW + 4 * DAY)
    assert bare.remaining() == 0


def test_what_is_given_for_credit_whose_time_is_over_does_not_end_with_it(bare: Customer) -> None:
    ended = bare.grant(5, expire=NOW + HOUR).id
    bare.wait(2 * HOUR)
    bare.adjust(2, credit=ended)
    bare.wait(DAY)
    assert bare.remaining() == 2
