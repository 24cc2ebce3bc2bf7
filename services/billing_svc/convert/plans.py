"""What is on offer, as the contract says it."""

from __future__ import annotations

from collections.abc import Iterable

from scenemesh.billing.v1 import billing_pb2
from services.billing_svc.convert.money import money
from services.billing_svc.convert.words import INTERVALS, PERIODS, PROVIDERS
from services.billing_svc.domain.offering import Buyer, Standing, gain, standing
from services.billing_svc.domain.plan import Allowance, Catalogue, Pack, Plan, Price, Provider

CURRENCY = "USD"

STANDINGS = {
    Standing.CURRENT: billing_pb2.STANDING_CURRENT,
    Standing.UPGRADE: billing_pb2.STANDING_UPGRADE,
    Standing.DOWNGRADE: billing_pb2.STANDING_DOWNGRADE,
}


def offer_to_proto(catalogue: Catalogue, buyer: Buyer | None) -> billing_pb2.ListPlansResponse:
    """`buyer` is None for a caller without a token."""
    return billing_pb2.ListPlansResponse(
        plans=[_plan(plan, catalogue, buyer) for plan in catalogue.plans],
        packs=[_pack(pack) for pack in catalogue.packs],
    )


def _plan(plan: Plan, catalogue: Catalogue, buyer: Buyer | None) -> billing_pb2.Plan:
    return billing_pb2.Plan(
        name=f"plans/{plan.slug}",
        display_name=plan.display_name,
        prices=[_price(price) for price in plan.prices],
        allowances=[_allowance(one, gain(buyer, one, catalogue) if buyer else 0) for one in plan.allowances],
        context_tokens=plan.context_tokens,
        trial_days=plan.trial_days if buyer is None or buyer.may_try else 0,
        standing=STANDINGS[standing(buyer, plan, catalogue)] if buyer else None,
    )


def _price(price: Price) -> billing_pb2.Price:
    return billing_pb2.Price(
        interval=INTERVALS[price.interval],
        amount=money(price.cents, CURRENCY),
        credits=price.credits,
        providers=_providers(price.ids),
    )


def _pack(pack: Pack) -> billing_pb2.Pack:
    return billing_pb2.Pack(
        name=f"packs/{pack.slug}",
        display_name=pack.display_name,
        credits=pack.credits,
        amount=money(pack.cents, CURRENCY),
        providers=_providers(pack.ids),
    )


def _providers(sellers: Iterable[Provider]) -> list[billing_pb2.Provider]:
    known = set(sellers)
    return [PROVIDERS[provider] for provider in Provider if provider in known]


def _allowance(allowance: Allowance, gained: int) -> billing_pb2.Allowance:
    return billing_pb2.Allowance(
        meter=allowance.meter,
        unlimited=allowance.amount is None,
        amount=allowance.amount or 0,
        period=PERIODS[allowance.period],
        window=allowance.window,
        rollover=allowance.rollover,
        shadow=allowance.shadow,
        gain=gained,
    )
