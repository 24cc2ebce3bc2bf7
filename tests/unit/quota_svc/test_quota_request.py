from dataclasses import replace

import pytest

from runtime.errors import AlreadyExists
from services.quota_svc.domain.credit import Source
from services.quota_svc.domain.granting import AdjustOrder, GrantOrder
from services.quota_svc.domain.hold import Mode, Overage, ReserveOrder
from services.quota_svc.domain.planning import PlanOrder
from services.quota_svc.domain.record import AdjustmentReason
from services.quota_svc.domain.request import answered
from services.quota_svc.domain.resolving import SettleOrder
from tests.unit.quota_svc.customer import HOUR, NOW, uuid

RESERVE = ReserveOrder("ann", uuid(1), {"chat": 1, "video": 2}, HOUR)
GRANT = GrantOrder("ann", uuid(1), "chat", 5, Source.PROMO)
ADJUST = AdjustOrder("ann", uuid(1), "chat", -5, AdjustmentReason.REFUND)
PLAN = PlanOrder("ann", uuid(1), "plans/pro")
SETTLE = SettleOrder("ann", uuid(1), {"chat": 1})


@pytest.mark.parametrize(
    ("order", "other"),
    [
        (RESERVE, replace(RESERVE, amounts={"chat": 2, "video": 1})),
        (RESERVE, replace(RESERVE, amounts={"chat": 1})),
        (RESERVE, replace(RESERVE, time_to_live=2 * HOUR)),
        (RESERVE, replace(RESERVE, mode=Mode.BEST_EFFORT)),
        (RESERVE, replace(RESERVE, overage=Overage.AVAILABLE)),
        (GRANT, replace(GRANT, meter="video")),
        (GRANT, replace(GRANT, amount=6)),
        (GRANT, replace(GRANT, source=Source.ADMIN)),
        (GRANT, replace(GRANT, priority=1)),
        (GRANT, replace(GRANT, start=NOW)),
        (GRANT, replace(GRANT, expire=NOW)),
        (GRANT, replace(GRANT, rollover=1)),
        (ADJUST, replace(ADJUST, meter="video")),
        (ADJUST, replace(ADJUST, amount=5)),
        (ADJUST, replace(ADJUST, reason=AdjustmentReason.CHARGEBACK)),
        (ADJUST, replace(ADJUST, credit=uuid(2))),
        (PLAN, replace(PLAN, plan="plans/max")),
        (PLAN, replace(PLAN, reset=True)),
        (PLAN, replace(PLAN, anchor=NOW)),
        (SETTLE, replace(SETTLE, amounts={"chat": 2})),
        (SETTLE, replace(SETTLE, amounts={"video": 1})),
    ],
)
def test_orders_that_ask_for_something_else_have_other_fingerprints(order: ReserveOrder, other: ReserveOrder) -> None:
    assert replace(order).fingerprint == order.fingerprint
    assert other.fingerprint != order.fingerprint


def test_the_order_in_which_meters_are_named_is_no_matter() -> None:
    assert replace(RESERVE, amounts={"video": 2, "chat": 1}).fingerprint == RESERVE.fingerprint


def test_a_meter_that_is_charged_nothing_is_as_good_as_not_named() -> None:
    assert replace(SETTLE, amounts={"video": 0, "chat": 1}).fingerprint == SETTLE.fingerprint


def test_the_same_request_is_answered_by_what_it_made() -> None:
    assert answered(uuid(1), b"same", b"same", "made") == "made"


@pytest.mark.parametrize("before", [b"other", None])
def test_another_request_of_the_same_id_is_refused(before: bytes | None) -> None:
    with pytest.raises(AlreadyExists) as refusal:
        answered(uuid(1), b"this", before, "made")
    assert (refusal.value.reason, refusal.value.metadata) == ("REQUEST_ID_REUSED", {"request_id": str(uuid(1))})
