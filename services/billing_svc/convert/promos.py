"""Codes as the contract says them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from runtime import pages
from runtime.errors import InvalidArgument, Violation
from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.convert.invoices import moment
from services.billing_svc.convert.words import slug_from_name
from services.billing_svc.domain.plan import FREE, Catalogue
from services.billing_svc.domain.promo import CreditGift, Gift, PlanGift, PromoCode

SCOPE = "promoCodes"

# Where a page goes on: the last one's time and code.
Position = tuple[datetime, str]


def code_from_proto(request: billing_pb2.CreatePromoCodeRequest, catalogue: Catalogue, now: datetime) -> PromoCode:
    """InvalidArgument when it gives days of a plan that nobody sells."""
    return PromoCode(
        code=request.code.upper(),
        gift=_gift_from_proto(request.gift, catalogue),
        redemptions_max=request.redemptions_max or None,
        redemptions_max_per_user=request.redemptions_max_per_user or 1,
        expire_time=request.expire_time.ToDatetime(UTC) if request.HasField("expire_time") else None,
        create_time=now,
    )


def code_to_proto(code: PromoCode) -> billing_pb2.PromoCode:
    return billing_pb2.PromoCode(
        name=f"promoCodes/{code.code}",
        gift=gift_to_proto(code.gift),
        redemptions_max=code.redemptions_max or 0,
        redemptions_max_per_user=code.redemptions_max_per_user,
        expire_time=code.expire_time,
        redemptions=code.redemptions,
        create_time=code.create_time,
    )


def gift_to_proto(gift: Gift) -> billing_pb2.Gift:
    match gift:
        case CreditGift(credits):
            return billing_pb2.Gift(credits=credits)
        case PlanGift(plan, days):
            return billing_pb2.Gift(plan_days=billing_pb2.PlanDays(plan=f"plans/{plan}", days=days))


def position_from_proto(request: billing_pb2.ListPromoCodesRequest) -> Position | None:
    """Where the page goes on; None for the first one."""
    position = pages.position(SCOPE, request.page_token, 2)
    return None if position is None else (moment(position[0]), position[1])


def page_to_proto(found: Sequence[PromoCode], page_size: int) -> billing_pb2.ListPromoCodesResponse:
    """One page of `found`, which holds one more than the page when there is a next one."""
    page = found[:page_size]
    more = len(found) > page_size
    return billing_pb2.ListPromoCodesResponse(
        promo_codes=[code_to_proto(one) for one in page],
        next_page_token=pages.token(SCOPE, [page[-1].create_time.isoformat(), page[-1].code]) if more else "",
    )


def _gift_from_proto(gift: billing_pb2.Gift, catalogue: Catalogue) -> Gift:
    if gift.HasField("credits"):
        return CreditGift(gift.credits)
    slug = slug_from_name(gift.plan_days.plan)
    if slug == FREE or catalogue.plan(slug) is None:
        fault = Violation("gift.plan_days.plan", "is no plan that costs something")
        raise InvalidArgument(f"{fault.field}: {fault.description}", violations=[fault])
    return PlanGift(slug, gift.plan_days.days)
