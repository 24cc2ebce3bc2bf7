from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from runtime.errors import AlreadyExists, FailedPrecondition, OutOfRange
from services.quota_svc.domain.entry import EntryKind, Movement, Usage
from services.quota_svc.domain.hold import Hold, HoldState, ReserveOrder
from services.quota_svc.domain.meter import Split

TAKEN = datetime(2026, 11, 21, 23, 59, 50, tzinfo=UTC)
LATER = TAKEN + timedelta(seconds=20)
EXPIRED = TAKEN + timedelta(seconds=60)
USAGE = Usage("conversations/1/messages/2", "smollm2", 300, 40)
HOLD_ID = UUID(int=7)

ORDER = ReserveOrder("ann", UUID(int=1), "chat", 5, timedelta(seconds=60))
HOLD = ORDER.hold(Split(3, 2), TAKEN, HOLD_ID)


def charge(kind: EntryKind, amount: int) -> Movement:
    return Movement("ann", "chat", -amount, kind, TAKEN, LATER, HOLD_ID, USAGE)


def resolved(hold: Hold) -> str:
    with pytest.raises(FailedPrecondition) as refusal:
        hold.settled(1, None, LATER)
    assert refusal.value.reason == "HOLD_RESOLVED"
    return refusal.value.message


@pytest.mark.parametrize(
    ("amount", "charges"),
    [
        (2, [charge(EntryKind.ALLOWANCE_CHARGE, 2)]),
        (3, [charge(EntryKind.ALLOWANCE_CHARGE, 3)]),
        (4, [charge(EntryKind.ALLOWANCE_CHARGE, 3), charge(EntryKind.GRANT_CHARGE, 1)]),
        (5, [charge(EntryKind.ALLOWANCE_CHARGE, 3), charge(EntryKind.GRANT_CHARGE, 2)]),
    ],
)
def test_a_charge_is_paid_by_the_allowance_first_and_counts_when_the_hold_was_taken(
    amount: int, charges: list[Movement]
) -> None:
    assert HOLD.settled(amount, USAGE, LATER) == (
        replace(HOLD, state=HoldState.SETTLED, settled_amount=amount),
        charges,
    )


def test_a_hold_on_granted_credit_alone_charges_no_allowance() -> None:
    hold = replace(HOLD, split=Split(0, 5))
    assert hold.settled(2, USAGE, LATER)[1] == [charge(EntryKind.GRANT_CHARGE, 2)]


def test_settling_again_with_the_same_amount_charges_nothing_more_however_late() -> None:
    settled, _ = HOLD.settled(4, USAGE, LATER)
    assert settled.settled(4, USAGE, EXPIRED) == (settled, [])


def test_settling_with_another_amount_is_refused() -> None:
    settled, _ = HOLD.settled(4, USAGE, LATER)
    assert resolved(settled) == "The hold was settled with 4; a hold resolves once."


def test_settling_more_than_is_held_is_refused() -> None:
    with pytest.raises(OutOfRange) as refusal:
        HOLD.settled(6, USAGE, LATER)
    assert (refusal.value.reason, refusal.value.metadata) == ("AMOUNT_EXCEEDS_HOLD", {"amount": "6", "held": "5"})


def test_settling_what_was_released_is_refused() -> None:
    assert resolved(HOLD.released(LATER)) == "The hold was released; a hold resolves once."


def test_settling_what_has_expired_is_refused() -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        HOLD.settled(1, None, EXPIRED)
    assert refusal.value.message == "The hold expired at 2026-11-22T00:00:50Z; a hold resolves once."


def test_a_hold_expires_at_its_time_and_not_before() -> None:
    assert HOLD.at(EXPIRED - timedelta(microseconds=1)) == HOLD
    assert HOLD.at(EXPIRED) == replace(HOLD, state=HoldState.EXPIRED)


def test_releasing_again_and_releasing_what_has_expired_give_the_same_hold() -> None:
    released = HOLD.released(LATER)
    assert released == replace(HOLD, state=HoldState.RELEASED)
    assert released.released(EXPIRED) == released
    assert HOLD.released(EXPIRED) == replace(HOLD, state=HoldState.EXPIRED)


def test_releasing_what_was_settled_is_refused() -> None:
    settled, _ = HOLD.settled(5, USAGE, LATER)
    with pytest.raises(FailedPrecondition) as refusal:
        settled.released(LATER)
    assert refusal.value.reason == "HOLD_RESOLVED"


def test_the_same_order_is_answered_by_its_hold() -> None:
    assert replace(ORDER).answered_by(HOLD) == HOLD


@pytest.mark.parametrize(
    "other",
    [replace(ORDER, meter="image"), replace(ORDER, amount=6), replace(ORDER, time_to_live=timedelta(seconds=61))],
)
def test_another_order_of_the_same_request_id_is_refused(other: ReserveOrder) -> None:
    with pytest.raises(AlreadyExists) as refusal:
        other.answered_by(HOLD)
    assert refusal.value.reason == "REQUEST_ID_REUSED"
