"""What the offer is to one caller: what they would gain by each plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from services.billing_svc.domain.agreement import Agreement
from services.billing_svc.domain.moving import renewing, trial_used
from services.billing_svc.domain.plan import Allowance, Catalogue, Plan
from services.billing_svc.domain.subscription import merged


class Standing(Enum):
    """What moving to a plan would be."""

    CURRENT = "current"
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"


@dataclass(frozen=True)
class Buyer:
    """What counts of a caller: the plan that they have, and whether they may still try one."""

    plan: str
    may_try: bool


def buyer(user: str, agreements: Iterable[Agreement], catalogue: Catalogue, now: datetime) -> Buyer:
    """Who has had a trial gets no other one, and who pays already has nothing to try."""
    known = list(agreements)
    may_try = not trial_used(known) and not renewing(known, now)
    return Buyer(merged(user, known, catalogue, now).plan, may_try)


def standing(buyer: Buyer, plan: Plan, catalogue: Catalogue) -> Standing:
    if plan.slug == buyer.plan:
        return Standing.CURRENT
    better = catalogue.rank(plan.slug) > catalogue.rank(buyer.plan)
    return Standing.UPGRADE if better else Standing.DOWNGRADE


def gain(buyer: Buyer, allowance: Allowance, catalogue: Catalogue) -> int:
    """Units in a period beyond what the buyer's plan gives in the same kind of period; 0 where either has no limit."""
    plan = catalogue.plan(buyer.plan)
    had = [one for one in (plan.allowances if plan else ()) if one.meter == allowance.meter]
    if allowance.amount is None or any(one.amount is None for one in had):
        return 0
    kind = (allowance.period, allowance.window)
    return allowance.amount - sum(one.amount or 0 for one in had if (one.period, one.window) == kind)
