from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from runtime.errors import MeshError
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.plan import Provider
from services.billing_svc.domain.promo import CreditGift, PlanGift, PromoCode
from services.billing_svc.domain.redeeming import credits_given, days_given, require_redeemable
from tests.service.billing_svc.shop import CATALOGUE, NOW, agreed

REQUEST = UUID(int=7)
CODE = PromoCode("SPRING", CreditGift(50), None, 1, None, NOW)
WEEK = PlanGift("pro", 7)
A_WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("code", "redeemed"),
    [
        (CODE, 0),
        (replace(CODE, redemptions_max_per_user=3), 2),
        (replace(CODE, redemptions_max=5, redemptions=4), 0),
        (replace(CODE, expire_time=NOW + timedelta(seconds=1)), 0),
        (replace(CODE, gift=WEEK), 0),
    ],
)
def test_a_code_is_redeemed_while_there_is_something_left_of_it(code: PromoCode, redeemed: int) -> None:
    assert require_redeemable(code, redeemed, CATALOGUE, NOW) == code


@pytest.mark.parametrize(
    ("code", "redeemed", "reason"),
    [
        (None, 0, "PROMO_CODE_NOT_FOUND"),
        (replace(CODE, gift=PlanGift("gone", 7)), 0, "PROMO_CODE_NOT_FOUND"),
        (replace(CODE, expire_time=NOW), 0, "PROMO_CODE_EXPIRED"),
        (CODE, 1, "PROMO_CODE_REDEEMED"),
        (replace(CODE, redemptions_max=5, redemptions=5), 0, "PROMO_CODE_USED_UP"),
    ],
)
def test_what_is_over_or_used_up_is_refused_with_the_reason(code: PromoCode | None, redeemed: int, reason: str) -> None:
    with pytest.raises(MeshError) as refusal:
        require_redeemable(code, redeemed, CATALOGUE, NOW)
    assert refusal.value.reason == reason


def test_what_is_given_has_an_id_of_the_user_and_the_request() -> None:
    ids = {
        credits_given(user, request, CreditGift(50)).id for user in ("ann", "bob") for request in (REQUEST, UUID(int=8))
    }
    assert len(ids) == 4
    assert credits_given("ann", REQUEST, CreditGift(50)) == credits_given("ann", REQUEST, CreditGift(50))


def test_days_begin_now_and_renew_by_nobody() -> None:
    given = days_given("ann", REQUEST, WEEK, [agreed()], NOW)
    assert given == Agreement(
        provider=Provider.PROMO,
        id=given.id,
        user="ann",
        plan="pro",
        interval=None,
        state=State.CANCELLED,
        start=NOW,
        period_end=NOW + A_WEEK,
    )


def test_days_of_the_same_plan_follow_those_that_run() -> None:
    running = days_given("ann", UUID(int=1), WEEK, [], NOW)
    lesser = days_given("ann", UUID(int=2), PlanGift("creator", 90), [], NOW)
    over = days_given("ann", UUID(int=3), WEEK, [], NOW - 2 * A_WEEK)
    assert days_given("ann", REQUEST, WEEK, [running, lesser, over], NOW).period_end == NOW + 2 * A_WEEK
