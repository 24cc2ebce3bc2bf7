"""What is kept beside what quota_svc says, and what it should have been told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import grpc
import pytest

from runtime.postgres import Pool
from scenemesh.quota.v1 import quota_pb2
from services.billing_svc.applying import Applying
from services.billing_svc.domain.agreement import State
from services.billing_svc.domain.drift import Drift, DriftKind, Failed, Scope
from services.billing_svc.domain.effect import adjustment_id, plan_id
from services.billing_svc.domain.facts import Facts
from services.billing_svc.keeping import Keeping
from services.billing_svc.reconciling.running import Reconciling
from tests.service.billing_svc.reconciling.auditor import ScriptedAuditor
from tests.service.billing_svc.reconciling.ledger import LedgerDesk
from tests.service.billing_svc.reconciling.office import drifts, grant, kinds, refunded, told
from tests.service.billing_svc.shop import Clock, agreed, paid

PLAN, CREDIT, STUCK = DriftKind.PLAN_DIFFERS, DriftKind.CREDIT_MISSING, DriftKind.EFFECT_STUCK
PACK = paid(article="packs/small")
REPORT = Scope(repairs=False)


class Shop:
    """Where ann buys; the provider says the same as is kept."""

    def __init__(self, keeping: Keeping, applying: Applying, auditor: ScriptedAuditor) -> None:
        self.keeping = keeping
        self.applying = applying
        self.auditor = auditor

    async def sells(self, *facts: Facts, tells: bool = True) -> None:
        for one in facts:
            self.auditor.agreed = [*one.agreements] or self.auditor.agreed
            self.auditor.paid = [*one.payments] or self.auditor.paid
            await self.keeping.keep(one, await self.keeping.fence())
        if tells:
            await self.applying.apply("ann")


@pytest.fixture
def shop(keeping: Keeping, applying: Applying, auditor: ScriptedAuditor) -> Shop:
    return Shop(keeping, applying, auditor)


async def left(connections: Pool) -> list[tuple[str, str | None]]:
    """The effects that are kept, and why they were refused."""
    rows = await connections.fetch("SELECT kind, refused FROM effects ORDER BY number")
    return [(row["kind"], row["refused"]) for row in rows]


async def test_a_plan_that_quota_forgot_is_told_again_and_starts_anew(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk
) -> None:
    await shop.sells(Facts((agreed(),)))
    quota_desk.forget(plan_id("ann", 1))
    assert await drifts(reconciling, REPORT) == [Drift(PLAN, "ann", "users/ann/quota", "pro", "free")]
    assert await drifts(reconciling) == [Drift(PLAN, "ann", "users/ann/quota", "pro", "free", repaired=True)]
    [change] = quota_desk.effects.values()
    assert change == quota_pb2.SetPlanRequest(
        parent="users/ann",
        request_id=str(plan_id("ann", 2)),
        plan="plans/pro",
        usage=quota_pb2.USAGE_RULE_RESET,
        anchor_time=agreed().start,
    )
    assert await drifts(reconciling) == []


async def test_a_plan_that_is_over_here_is_taken_away_there(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk
) -> None:
    await shop.sells(Facts((agreed(),)), Facts((agreed(state=State.EXPIRED),)))
    quota_desk.forget(plan_id("ann", 2))
    assert await drifts(reconciling) == [Drift(PLAN, "ann", "users/ann/quota", "free", "pro", repaired=True)]
    assert quota_desk.plan("ann") == "plans/free"


async def test_a_plan_that_is_on_its_way_is_no_drift(
    shop: Shop, reconciling: Reconciling, applying: Applying, quota_desk: LedgerDesk
) -> None:
    await shop.sells(Facts((agreed(),), (PACK,)), tells=False)
    assert await drifts(reconciling) == []
    await applying.apply("ann")
    assert await drifts(reconciling) == []


async def test_a_plan_that_is_off_the_shelf_is_the_free_one_at_quota(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool
) -> None:
    await shop.sells(Facts((agreed(plan="pro-2025"),)))
    quota_desk.forget(plan_id("ann", 1))
    assert await drifts(reconciling) == []


async def test_a_lost_grant_is_given_again_under_the_id_that_it_had(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk
) -> None:
    await shop.sells(Facts(payments=(PACK,)))
    quota_desk.forget(UUID(grant(PACK)))
    expected = Drift(CREDIT, "ann", grant(PACK), "100 credits, 0 taken back", "nothing")
    assert await drifts(reconciling, REPORT) == [expected]
    assert await drifts(reconciling) == [replace(expected, repaired=True)]
    assert (list(quota_desk.effects), quota_desk.credits("ann")) == ([grant(PACK)], 100)
    assert await drifts(reconciling) == []


async def test_credits_that_a_refund_should_have_taken_are_taken_once(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk
) -> None:
    await shop.sells(
        Facts(payments=(PACK,)), Facts(payments=(refunded(PACK, 100),)), Facts(payments=(refunded(PACK, 499),))
    )
    assert quota_desk.credits("ann") == 0
    quota_desk.forget(adjustment_id(UUID(grant(PACK)), 2))
    assert await drifts(reconciling) == [
        Drift(CREDIT, "ann", grant(PACK), "100 credits, 100 taken back", "100 credits, 21 taken back", repaired=True)
    ]
    assert quota_desk.credits("ann") == 0
    assert list(quota_desk.effects)[-1] == str(adjustment_id(UUID(grant(PACK)), 3))
    assert await drifts(reconciling) == []


async def test_a_grant_and_what_was_taken_of_it_come_back_together(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk
) -> None:
    await shop.sells(Facts(payments=(PACK,)), Facts(payments=(replace(PACK, disputed=True),)))
    quota_desk.effects.clear()
    assert await kinds(reconciling) == [(CREDIT, grant(PACK), True)]
    assert [type(one).__name__ for one in quota_desk.effects.values()] == ["GrantRequest", "AdjustRequest"]
    assert list(quota_desk.effects.values())[-1].reason == quota_pb2.ADJUSTMENT_REASON_CHARGEBACK  # type: ignore[attr-defined]
    assert (quota_desk.credits("ann"), await drifts(reconciling)) == (0, [])


async def test_a_grant_is_found_behind_many_pages_of_entries(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk
) -> None:
    many = [paid(article="packs/small", id=f"pi_{number}") for number in range(25)]
    await shop.sells(Facts(payments=tuple(many)))
    quota_desk.page_max = 3
    assert await drifts(reconciling) == []


async def test_payments_of_long_ago_are_compared_for_one_user_alone(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, clock: Clock
) -> None:
    await shop.sells(Facts(payments=(PACK,)))
    quota_desk.effects.clear()
    clock.forward(days=40)
    assert await drifts(reconciling) == []
    assert await kinds(reconciling, Scope(user="ann")) == [(CREDIT, grant(PACK), True)]


async def test_an_effect_that_waits_for_too_long_is_told_at_once(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, clock: Clock, connections: Pool
) -> None:
    quota_desk.fault = grpc.StatusCode.UNAVAILABLE
    await shop.sells(Facts(payments=(PACK,)))
    clock.forward(minutes=9)
    assert await drifts(reconciling, REPORT) == []
    clock.forward(minutes=2)
    expected = Drift(STUCK, "ann", grant(PACK), "grant", "not told, after 1 attempts")
    assert await drifts(reconciling, REPORT) == [expected]
    assert await drifts(reconciling) == [expected]
    quota_desk.fault = None
    assert await kinds(reconciling) == [(STUCK, grant(PACK), True)]
    assert (quota_desk.credits("ann"), await left(connections)) == (100, [])


async def test_what_was_refused_is_told_again_in_its_order(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool
) -> None:
    quota_desk.fault = grpc.StatusCode.FAILED_PRECONDITION
    await shop.sells(Facts(payments=(PACK,)), Facts(payments=(refunded(PACK, 499),)))
    quota_desk.told.clear()
    refusal = "refused: FAILED_PRECONDITION: the test wants it so"
    taken = str(adjustment_id(UUID(grant(PACK)), 1))
    expected = [Drift(STUCK, "ann", grant(PACK), "grant", refusal), Drift(STUCK, "ann", taken, "adjust", refusal)]
    assert await drifts(reconciling, REPORT) == expected
    assert await drifts(reconciling) == expected
    quota_desk.fault = None
    assert await drifts(reconciling) == [replace(one, repaired=True) for one in expected]
    assert (list(quota_desk.effects), await left(connections)) == ([grant(PACK), taken], [])


async def test_a_refused_plan_that_another_one_followed_is_forgotten(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool
) -> None:
    quota_desk.fault = grpc.StatusCode.NOT_FOUND
    await shop.sells(Facts((agreed(plan="creator"),)))
    quota_desk.fault = None
    await shop.sells(Facts((agreed(),)))
    assert await kinds(reconciling) == [(STUCK, str(plan_id("ann", 1)), True)]
    assert (quota_desk.plan("ann"), list(quota_desk.effects)) == ("plans/pro", [str(plan_id("ann", 2))])
    assert await left(connections) == []


async def test_the_last_plan_is_told_anew_after_it_was_refused(
    shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk, connections: Pool
) -> None:
    quota_desk.fault = grpc.StatusCode.NOT_FOUND
    await shop.sells(Facts((agreed(),)))
    assert await kinds(reconciling) == [(STUCK, str(plan_id("ann", 1)), False)]
    assert await left(connections) == [("plan", "NOT_FOUND: the test wants it so")]
    quota_desk.fault = None
    assert await kinds(reconciling) == [(STUCK, str(plan_id("ann", 2)), True)]
    assert (quota_desk.plan("ann"), await drifts(reconciling)) == ("plans/pro", [])


async def test_a_quota_that_is_away_fails_the_run(shop: Shop, reconciling: Reconciling, quota_desk: LedgerDesk) -> None:
    await shop.sells(Facts((agreed(),)))
    quota_desk.reading_fault = grpc.StatusCode.UNAVAILABLE
    assert await told(reconciling) == [Failed("QUOTA_UNAVAILABLE", "quota_svc does not answer: UNAVAILABLE.")]


async def test_an_hour_of_time_alone_makes_no_drift(
    shop: Shop, reconciling: Reconciling, keeping: Keeping, applying: Applying, clock: Clock
) -> None:
    await shop.sells(Facts((agreed(state=State.CANCELLED, period_end=clock() + timedelta(hours=1)),)))
    clock.forward(hours=2)
    assert await drifts(reconciling) == []
    await keeping.look("ann")
    await applying.apply("ann")
    assert await drifts(reconciling) == []
