from datetime import timedelta

import pytest

from runtime.errors import FailedPrecondition, InvalidArgument, MeshError, NotFound, OutOfRange
from services.quota_svc.domain.hold import Hold, HoldState, Line, Lot, Mode, Overage, ReserveOrder
from services.quota_svc.domain.reserving import Refused, Reserved, reserve
from tests.unit.quota_svc.customer import HOUR, NOW, Customer, chat, plan, story, tariff, uuid, video

RATES = tariff(plan("free", chat(5), video(10)), plan("pro", chat(None), video(10)), plan("none"))
SHADOW = tariff(plan("free", chat(2, shadow=True), video(2)))


@pytest.fixture
def ann() -> Customer:
    return Customer(RATES)


def reason(refusal: pytest.ExceptionInfo[MeshError]) -> str:
    return refusal.value.reason


def credit_of(ann: Customer, meter: str) -> object:
    return next(one.id for one in ann.account.credits.values() if one.meter == meter)


def test_a_hold_keeps_units_of_every_meter_back(ann: Customer) -> None:
    order = ReserveOrder("ann", uuid(1), {"chat": 2, "video": 3}, HOUR, overage=Overage.AVAILABLE)
    outcome = reserve(ann.account, order, ann.tariff, ann.now)
    assert isinstance(outcome, Reserved)
    assert outcome.hold == Hold(
        id=uuid(1),
        lines=(
            Line("chat", (Lot(credit_of(ann, "chat"), 2),)),  # type: ignore[arg-type]
            Line("video", (Lot(credit_of(ann, "video"), 3),)),  # type: ignore[arg-type]
        ),
        created=NOW,
        expire=NOW + HOUR,
        overage=Overage.AVAILABLE,
        fingerprint=order.fingerprint,
    )
    stands = [(one.meter.name, one.admitted, one.figures.held, one.figures.remaining) for one in outcome.decisions]
    assert stands == [("chat", True, 2, 3), ("video", True, 3, 7)]
    assert (ann.remaining("chat"), ann.remaining("video")) == (3, 7)


def test_of_ten_units_exactly_ten_holds_of_one_are_admitted(ann: Customer) -> None:
    outcomes = [ann.reserve({"video": 1}) for _ in range(50)]
    assert [isinstance(one, Reserved) for one in outcomes] == [True] * 10 + [False] * 40


def test_when_one_meter_has_too_little_nothing_is_taken_on_any(ann: Customer) -> None:
    decision = ann.refusal({"video": 3, "chat": 6})
    assert (decision.meter.name, decision.amount, decision.figures.remaining) == ("chat", 6, 5)
    assert not ann.account.changes
    assert (ann.remaining("chat"), ann.remaining("video")) == (5, 10)


def test_best_effort_takes_what_is_left_of_each_meter(ann: Customer) -> None:
    ann.use({"video": 10})
    outcome = ann.reserve({"chat": 9, "video": 1}, mode=Mode.BEST_EFFORT)
    assert isinstance(outcome, Reserved)
    assert [(line.meter, line.amount) for line in outcome.hold.lines] == [("chat", 5)]
    assert [(one.meter.name, one.figures.held, one.figures.remaining) for one in outcome.decisions] == [("chat", 5, 0)]


def test_best_effort_is_refused_when_nothing_is_left_on_any_meter(ann: Customer) -> None:
    ann.use({"video": 10, "chat": 5})
    assert ann.refusal({"chat": 1, "video": 1}, mode=Mode.BEST_EFFORT).meter.name == "chat"


def test_an_unknown_meter_is_refused_before_anything_is_taken(ann: Customer) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        ann.reserve({"chat": 1, "song": 1})
    assert reason(refusal) == "METER_UNKNOWN"
    assert not ann.account.changes


def test_the_same_order_again_gives_the_same_hold_as_it_stands(ann: Customer) -> None:
    order = ReserveOrder("ann", uuid(1), {"chat": 5}, HOUR)
    first = reserve(ann.account, order, ann.tariff, ann.now)
    again = reserve(ann.account, order, ann.tariff, ann.now)
    assert isinstance(first, Reserved)
    assert isinstance(again, Reserved)
    assert again.hold == first.hold
    ann.wait(HOUR)
    late = reserve(ann.account, order, ann.tariff, ann.now)
    assert isinstance(late, Reserved)
    assert late.hold.state is HoldState.EXPIRED
    assert ann.remaining() == 5


def test_a_refused_order_may_be_asked_again_when_there_is_more(ann: Customer) -> None:
    assert isinstance(ann.reserve(6, request=uuid(1)), Refused)
    ann.grant(1)
    assert isinstance(ann.reserve(6, request=uuid(1)), Reserved)


def test_where_there_is_no_limit_any_amount_is_held_and_counted(ann: Customer) -> None:
    ann.move("pro")
    ann.hold(1_000_000_000)
    ann.hold(1_000_000_000)
    stand = ann.figures()
    assert (stand.limit, stand.held, stand.remaining) == (None, 2_000_000_000, 0)


def test_a_shadow_limit_lets_a_use_pass_and_says_that_it_would_be_refused() -> None:
    ann = Customer(SHADOW)
    outcome = ann.reserve(5)
    assert isinstance(outcome, Reserved)
    assert [(one.admitted, one.shadow, one.reason.name) for one in outcome.decisions] == [
        (False, True, "LIMIT_REACHED")
    ]
    lots = outcome.hold.lines[0].lots
    assert [(lot.credit is None, lot.amount) for lot in lots] == [(False, 2), (True, 3)]
    assert ann.refusal({"video": 3}).shadow is False


def test_a_use_within_a_shadow_limit_is_an_ordinary_one() -> None:
    outcome = Customer(SHADOW).reserve(2)
    assert isinstance(outcome, Reserved)
    assert [(one.admitted, one.shadow) for one in outcome.decisions] == [(True, False)]


def test_with_everything_in_shadow_no_limit_is_enforced() -> None:
    ann = Customer(tariff(plan("free", chat(1), video(1)), shadow=True))
    outcome = ann.reserve({"chat": 2, "video": 1, "story": 1})
    assert isinstance(outcome, Reserved)
    assert [(one.meter.name, one.shadow) for one in outcome.decisions] == [
        ("chat", True),
        ("video", False),
        ("story", True),
    ]


def test_extending_raises_a_hold_to_the_totals_and_puts_off_its_end(ann: Customer) -> None:
    hold = ann.hold({"chat": 1, "video": 1})
    ann.wait(HOUR / 2)
    outcome = ann.extend(hold, {"chat": 4}, HOUR)
    assert isinstance(outcome, Reserved)
    assert [(line.meter, line.amount, len(line.lots)) for line in outcome.hold.lines] == [
        ("chat", 4, 1),
        ("video", 1, 1),
    ]
    assert (outcome.hold.created, outcome.hold.expire) == (NOW, NOW + 1.5 * HOUR)
    assert [(one.meter.name, one.figures.held, one.figures.remaining) for one in outcome.decisions] == [
        ("chat", 4, 1),
        ("video", 1, 9),
    ]


def test_extending_again_to_the_same_totals_changes_nothing(ann: Customer) -> None:
    hold = ann.hold(1)
    first = ann.extend(hold, {"chat": 4}, HOUR)
    again = ann.extend(hold, {"chat": 4}, HOUR)
    assert isinstance(first, Reserved)
    assert isinstance(again, Reserved)
    assert (again.hold, ann.remaining()) == (first.hold, 1)


def test_extending_never_brings_a_hold_s_end_nearer(ann: Customer) -> None:
    outcome = ann.extend(ann.hold(1), {}, timedelta(seconds=1))
    assert isinstance(outcome, Reserved)
    assert outcome.hold.expire == NOW + HOUR


def test_extending_beyond_what_is_left_leaves_the_hold_as_it_was(ann: Customer) -> None:
    hold = ann.hold({"chat": 1, "video": 1})
    before = ann.account.holds[hold]
    outcome = ann.extend(hold, {"video": 5, "chat": 6}, 2 * HOUR)
    assert isinstance(outcome, Refused)
    assert (outcome.decision.meter.name, outcome.decision.amount) == ("chat", 5)
    assert ann.account.holds[hold] == before


def test_extending_as_best_effort_takes_what_is_left(ann: Customer) -> None:
    hold = ann.hold(3)
    outcome = ann.extend(hold, {"chat": 9}, mode=Mode.BEST_EFFORT)
    assert isinstance(outcome, Reserved)
    assert (outcome.hold.lines[0].amount, ann.remaining()) == (5, 0)


def test_extending_to_less_than_is_held_is_refused(ann: Customer) -> None:
    hold = ann.hold(3)
    with pytest.raises(OutOfRange) as refusal:
        ann.extend(hold, {"chat": 2})
    assert (refusal.value.reason, refusal.value.metadata) == (
        "AMOUNT_BELOW_HOLD",
        {"meter": "chat", "amount": "2", "held": "3"},
    )


def test_extending_on_a_meter_that_the_hold_does_not_have_is_refused(ann: Customer) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        ann.extend(ann.hold(1), {"video": 2})
    assert reason(refusal) == "METER_NOT_HELD"


def test_a_hold_that_is_over_cannot_be_extended_from_the_instant_of_its_end_on(ann: Customer) -> None:
    hold = ann.hold(1)
    ann.now = NOW + HOUR - timedelta(microseconds=1)
    assert isinstance(ann.extend(hold, {"chat": 2}), Reserved)
    ann.now = NOW + HOUR
    with pytest.raises(FailedPrecondition) as refusal:
        ann.extend(hold, {"chat": 3}, HOUR)
    assert (reason(refusal), refusal.value.metadata) == ("HOLD_RESOLVED", {"state": "EXPIRED"})


def test_a_hold_that_nobody_took_cannot_be_extended(ann: Customer) -> None:
    with pytest.raises(NotFound) as refusal:
        ann.extend(uuid(9), {"chat": 1})
    assert reason(refusal) == "HOLD_NOT_FOUND"


def test_a_rolling_allowance_is_held_like_any_other() -> None:
    ann = Customer(tariff(plan("free", story(4))))
    hold = ann.hold({"story": 3})
    assert (ann.remaining("story"), ann.figures("story").held) == (1, 3)
    ann.release(hold)
    assert (ann.remaining("story"), ann.figures("story").used) == (4, 0)
