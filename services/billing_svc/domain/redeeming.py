"""What redeeming a code gives, and to whom it is refused."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from runtime.errors import FailedPrecondition, NotFound
from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.effect import NAMESPACE, Grant, Source
from services.billing_svc.domain.plan import Catalogue, Provider
from services.billing_svc.domain.promo import CreditGift, PlanGift, PromoCode


def require_redeemable(code: PromoCode | None, redeemed: int, catalogue: Catalogue, now: datetime) -> PromoCode:
    """The code, for a user who redeemed it `redeemed` times before.

    NotFound (PROMO_CODE_NOT_FOUND), FailedPrecondition (PROMO_CODE_EXPIRED, PROMO_CODE_REDEEMED, PROMO_CODE_USED_UP).
    """
    if code is None or (isinstance(code.gift, PlanGift) and catalogue.plan(code.gift.plan) is None):
        raise NotFound("There is no such code.", reason="PROMO_CODE_NOT_FOUND")
    if code.expire_time is not None and now >= code.expire_time:
        raise FailedPrecondition("The code is over.", reason="PROMO_CODE_EXPIRED")
    if redeemed >= code.redemptions_max_per_user:
        raise FailedPrecondition("You have redeemed this code already.", reason="PROMO_CODE_REDEEMED")
    if code.redemptions_max is not None and code.redemptions >= code.redemptions_max:
        raise used_up()
    return code


def used_up() -> FailedPrecondition:
    return FailedPrecondition("The code is used up.", reason="PROMO_CODE_USED_UP")


def credits_given(user: str, request_id: UUID, gift: CreditGift) -> Grant:
    return Grant(_id(user, request_id), gift.credits, Source.PROMO)


def days_given(
    user: str, request_id: UUID, gift: PlanGift, agreements: Iterable[Agreement], now: datetime
) -> Agreement:
    """An agreement that renews by nobody. Days of a plan that the user was given before go first: they add up."""
    same = [one for one in agreements if one.provider is Provider.PROMO and one.plan == gift.plan and one.in_force(now)]
    begin = max((one.period_end for one in same), default=now)
    return Agreement(
        provider=Provider.PROMO,
        id=str(_id(user, request_id)),
        user=user,
        plan=gift.plan,
        interval=None,
        state=State.CANCELLED,
        start=now,
        period_end=begin + gift.length,
    )


def _id(user: str, request_id: UUID) -> UUID:
    """Two users may come with the same request id."""
    return uuid5(NAMESPACE, f"promo/{user}/{request_id}")
