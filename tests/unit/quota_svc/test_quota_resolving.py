from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from runtime.errors import FailedPrecondition, InvalidArgument, MeshError, NotFound, OutOfRange
from services.quota_svc.domain.credit import CreditState, Source
from services.quota_svc.domain.entry import Book, Entry, EntryKind, Usage
from services.quota_svc.domain.event import Depleted, Low, Reset
from services.quota_svc.domain.hold import HoldState, Overage
from tests.unit.quota_svc.customer import (
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

RATES = tariff(plan("free", chat(5), video(10)), plan("pro", chat(None)), plan("none"))
USAGE = Usage("conversations/1/messages/2", "smollm2", 300, 40)


@pytest.fixture
def ann() -> Customer:
    return Customer(RATES)


def end(ann: Customer, hold: UUID, how: str) -> None:
    match how:
        case "settled":
            ann.settle(hold, 1)
        case "released":
            ann.release(hold)
        case "voided":
            ann.void(hold)
        case _:
            ann.wait(HOUR)


def over(refusal: pytest.ExceptionInfo[MeshError]) -> tuple[str, str]:
    return refusal.value.reason, refusal.value.message


def test_settling_charges_what_was_used_and_gives_the_rest_back(ann: Customer) -> None:
    hold = ann.hold({"chat": 4, "video": 2})
    ann.wait(HOUR / 4)
    settled = ann.settle(hold, {"chat": 3}, USAGE)
    assert (settled.state, settled.resolved) == (HoldState.SETTLED, NOW + HOUR / 4)
    assert [(line.meter, line.amount, line.settled, line.uncovered) for line in settled.lines] == [
        ("chat", 4, 3, 0),
        ("video", 2, 0, 0),
    ]
    assert (ann.remaining("chat"), ann.remaining("video")) == (2, 10)
    credit = settled.lines[0].lots[0].credit
    assert ann.entries[-1] == Entry(
        number=3,
        meter="chat",
        kind=EntryKind.CHARGE,
        debit=Book.AVAILABLE,
        credit=Book.CONSUMED,
        amount=3,
        balance=2,
        source=Source.PLAN,
        credit_id=credit,
        time=NOW + HOUR / 4,
        hold=hold,
        usage=USAGE,
    )


def test_a_charge_on_several_credits_is_an_entry_for_each(ann: Customer) -> None:
    ann.grant(2, priority=1)
    ann.grant(9, source=Source.PURCHASE)
    ann.settle(ann.hold(9), 8)
    charges = [(one.source, one.amount, one.balance) for one in ann.entries if one.kind is EntryKind.CHARGE]
    assert charges == [(Source.PROMO, 2, 14), (Source.PLAN, 5, 9), (Source.PURCHASE, 1, 8)]


def test_settling_again_with_the_same_amounts_gives_the_same_hold_however_late(ann: Customer) -> None:
    hold = ann.hold(4)
    settled = ann.settle(hold, 3, USAGE)
    ann.wait(9 * HOUR)
    entries = len(ann.entries)
    assert ann.settle(hold, 3) == settled
    assert len(ann.entries) == entries


def test_settling_with_other_amounts_is_refused(ann: Customer) -> None:
    hold = ann.hold(4)
    ann.settle(hold, 3)
    with pytest.raises(FailedPrecondition) as refusal:
        ann.settle(hold, 4)
    assert over(refusal) == ("HOLD_RESOLVED", "The hold was settled with 3 chat; a hold resolves once.")
    assert ann.remaining() == 2


def test_settling_more_than_is_held_is_refused_and_charges_nothing(ann: Customer) -> None:
    hold = ann.hold({"video": 1, "chat": 2})
    with pytest.raises(OutOfRange) as refusal:
        ann.settle(hold, {"video": 1, "chat": 3})
    assert (refusal.value.reason, refusal.value.metadata) == (
        "AMOUNT_EXCEEDS_HOLD",
        {"meter": "chat", "amount": "3", "held": "2"},
    )
    assert ann.account.holds[hold].state is HoldState.HELD
    assert (ann.remaining("chat"), ann.remaining("video")) == (3, 9)


def test_more_than_is_held_may_be_charged_as_far_as_credit_is_left(ann: Customer) -> None:
    bought = ann.grant(2).id
    hold = ann.hold(4, overage=Overage.AVAILABLE)
    settled = ann.settle(hold, 9)
    line = settled.lines[0]
    assert (line.amount, line.settled, line.uncovered) == (4, 7, 2)
    assert ann.remaining() == 0
    closed = ann.account.earlier_credit(bought)
    assert closed is not None
    assert (closed.state, closed.balance) == (CreditState.CLOSED, 0)


def test_more_than_is_held_leaves_alone_what_others_hold(ann: Customer) -> None:
    ann.hold(2)
    settled = ann.settle(ann.hold(1, overage=Overage.AVAILABLE), 5)
    assert (settled.lines[0].settled, settled.lines[0].uncovered) == (3, 2)
    assert (ann.remaining(), ann.figures().held) == (0, 2)


def test_more_than_is_held_is_not_charged_to_a_meter_in_debt(ann: Customer) -> None:
    ann.grant(5)
    hold = ann.hold(1, overage=Overage.AVAILABLE)
    ann.adjust(-9)
    settled = ann.settle(hold, 5)
    assert (settled.lines[0].settled, settled.lines[0].uncovered) == (1, 4)
    assert ann.remaining() == 0


def test_a_meter_that_the_hold_does_not_have_cannot_be_charged(ann: Customer) -> None:
    hold = ann.hold(1)
    with pytest.raises(InvalidArgument) as refusal:
        ann.settle(hold, {"chat": 1, "video": 1})
    assert refusal.value.reason == "METER_NOT_HELD"
    assert ann.account.holds[hold].state is HoldState.HELD


def test_where_there_is_no_limit_a_use_is_issued_as_it_is_charged(ann: Customer) -> None:
    ann.move("pro")
    ann.use(900)
    last = ann.entries[-1]
    assert (last.debit, last.credit, last.amount, last.balance) == (Book.ISSUED, Book.CONSUMED, 900, 0)
    assert (ann.figures().limit, ann.figures().used) == (None, 900)


def test_what_a_shadow_limit_let_pass_is_charged_to_no_credit() -> None:
    ann = Customer(tariff(plan("free", chat(2, shadow=True))))
    ann.use(5)
    charges = [one for one in ann.entries if one.kind is EntryKind.CHARGE]
    assert [(one.debit, one.amount, one.credit_id is None, one.balance) for one in charges] == [
        (Book.AVAILABLE, 2, False, 0),
        (Book.ISSUED, 3, True, 0),
    ]
    assert (ann.figures().used, ann.remaining()) == (2, 0)


def test_releasing_gives_a_hold_back_and_again_gives_the_same(ann: Customer) -> None:
    hold = ann.hold(5)
    released = ann.release(hold)
    assert (released.state, released.resolved, ann.remaining()) == (HoldState.RELEASED, NOW, 5)
    ann.wait(HOUR)
    assert ann.release(hold) == released


def test_releasing_what_has_expired_or_was_voided_gives_it_as_it_stands(ann: Customer) -> None:
    expired, voided = ann.hold(1), ann.hold(1, life=9 * HOUR)
    void = ann.void(voided)
    ann.wait(2 * HOUR)
    assert ann.release(expired).state is HoldState.EXPIRED
    assert ann.release(voided) == void


def test_releasing_what_was_settled_is_refused(ann: Customer) -> None:
    hold = ann.hold(2)
    ann.settle(hold, 1)
    with pytest.raises(FailedPrecondition) as refusal:
        ann.release(hold)
    assert over(refusal) == ("HOLD_RESOLVED", "The hold was settled with 1 chat; a hold resolves once.")


def test_voiding_keeps_who_did_it_and_why_and_again_gives_the_same(ann: Customer) -> None:
    hold = ann.hold(5)
    voided = ann.void(hold, "olga", "stuck")
    assert (voided.state, voided.voided_by, voided.void_reason, voided.resolved) == (
        HoldState.VOIDED,
        "olga",
        "stuck",
        NOW,
    )
    assert ann.remaining() == 5
    assert ann.void(hold, "oleg", "me too") == voided


@pytest.mark.parametrize("how", ["settled", "released", "expired"])
def test_what_is_over_in_another_way_cannot_be_voided(ann: Customer, how: str) -> None:
    hold = ann.hold(1)
    end(ann, hold, how)
    with pytest.raises(FailedPrecondition) as refusal:
        ann.void(hold)
    assert refusal.value.metadata == {"state": how.upper()}


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("released", "The hold was released; a hold resolves once."),
        ("voided", "The hold was voided by an operator; a hold resolves once."),
        ("expired", "The hold expired at 2026-11-21T13:00:00Z; a hold resolves once."),
    ],
)
def test_what_ended_without_a_charge_cannot_be_settled(ann: Customer, how: str, message: str) -> None:
    hold = ann.hold(1)
    end(ann, hold, how)
    with pytest.raises(FailedPrecondition) as refusal:
        ann.settle(hold, 1)
    assert over(refusal) == ("HOLD_RESOLVED", message)
    assert ann.remaining() == 5


def test_a_hold_that_nobody_took_cannot_be_resolved(ann: Customer) -> None:
    resolving: list[Callable[[], object]] = [
        lambda: ann.settle(uuid(9), 1),
        lambda: ann.release(uuid(9)),
        lambda: ann.void(uuid(9)),
    ]
    for resolve in resolving:
        with pytest.raises(NotFound) as refusal:
            resolve()
        assert refusal.value.reason == "HOLD_NOT_FOUND"


def test_a_hold_settles_until_the_instant_of_its_end(ann: Customer) -> None:
    hold = ann.hold(1)
    ann.now = NOW + HOUR - timedelta(microseconds=1)
    assert ann.settle(hold, 1).state is HoldState.SETTLED


def test_the_soft_limit_is_told_once_by_the_charge_that_reaches_it() -> None:
    ann = Customer(RATES)
    for _ in range(10):
        ann.use({"video": 1})
    assert ann.told(Low, Depleted) == [Low("video", 80, 2, NEXT_MONTH), Depleted("video", NEXT_MONTH)]


def test_one_charge_may_tell_both_the_soft_limit_and_the_end(ann: Customer) -> None:
    ann.use(5)
    assert ann.told(Low, Depleted) == [Low("chat", 100, 0, MIDNIGHT), Depleted("chat", MIDNIGHT)]


def test_a_hold_alone_tells_nothing(ann: Customer) -> None:
    hold = ann.hold(5)
    assert ann.events == []
    ann.settle(hold, 3)
    assert ann.told(Low, Depleted) == []


def test_credit_beside_the_plan_puts_off_the_soft_limit(ann: Customer) -> None:
    ann.grant(15)
    ann.use(15)
    assert ann.told(Low, Depleted) == []
    ann.use(1)
    assert ann.told(Low, Depleted) == [Low("chat", 80, 4, MIDNIGHT)]


def test_where_there_is_no_limit_nothing_is_told(ann: Customer) -> None:
    ann.move("pro")
    ann.account.flush()
    ann.use(900)
    assert ann.events == []


def test_the_period_that_starts_anew_is_told_and_its_soft_limit_again(ann: Customer) -> None:
    ann.use(4)
    ann.until(MIDNIGHT)
    ann.use(4)
    assert ann.told(Low, Depleted, Reset) == [
        Low("chat", 80, 1, MIDNIGHT),
        Reset("chat", 5),
        Low("chat", 80, 1, MIDNIGHT + 24 * HOUR),
    ]


def test_a_period_in_which_nothing_was_used_is_not_told(ann: Customer) -> None:
    ann.release(ann.hold(1))
    ann.until(MIDNIGHT)
    assert ann.told(Reset) == []


def test_a_rolling_allowance_that_is_used_up_says_when_the_next_units_come_back() -> None:
    ann = Customer(tariff(plan("free", story(4))))
    ann.use({"story": 1})
    ann.wait(HOUR)
    ann.use({"story": 3})
    assert ann.told(Low, Depleted) == [
        Low("story", 100, 0, NOW + 3 * HOUR),
        Depleted("story", NOW + 3 * HOUR),
    ]
