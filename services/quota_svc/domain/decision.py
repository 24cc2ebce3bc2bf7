"""How a use is decided on, and why: by which meter, what is left of it, when it starts anew, what would unlock it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from services.quota_svc.domain.account import Account
from services.quota_svc.domain.calendar import Calendar, Period
from services.quota_svc.domain.meter import CREDITS, Meter
from services.quota_svc.domain.plan import Plan, Tariff

THIS_PERIOD = {Period.DAY: " of today", Period.MONTH: " of this month", Period.ROLLING: ""}


class Reason(Enum):
    """Why a use was decided on so."""

    WITHIN_LIMIT = "within_limit"
    UNLIMITED = "unlimited"
    LIMIT_REACHED = "limit_reached"
    NOT_IN_PLAN = "not_in_plan"
    IN_DEBT = "in_debt"


@dataclass(frozen=True, slots=True)
class Figures:
    """How one meter stands. `limit` is None without limit; `spent` is what open credit has been charged in all."""

    limit: int | None
    granted: int
    used: int
    held: int
    remaining: int
    spent: int
    reset: datetime | None
    given: bool

    def taken_percent(self, held: bool = True) -> int:
        """Share of the open credit that is used, or with `held` used and held, in percent."""
        if self.limit is None:
            return 0
        taken = self.spent + (self.held if held else 0)
        whole = self.spent + self.held + self.remaining
        return 100 if whole <= 0 < taken else 100 * taken // max(1, whole)


@dataclass(frozen=True, slots=True)
class Decision:
    """`admitted` says what the credit says; in `shadow`, the use goes on whatever it says."""

    meter: Meter
    figures: Figures
    amount: int
    admitted: bool
    reason: Reason
    soft_limit_reached: bool
    shadow: bool
    plan: Plan
    calendar: Calendar
    unlocks: tuple[Plan, ...] = ()
    message: str = ""

    @property
    def local_reset(self) -> str:
        """When the allowance starts anew by the user's clock; empty when it never does."""
        return self.calendar.local(self.figures.reset) if self.figures.reset is not None else ""

    @property
    def price(self) -> int:
        """Credits that pay for a unit that is refused; 0 where they do not. A debt is not paid off with them."""
        return 0 if self.admitted or self.reason is Reason.IN_DEBT else self.meter.price

    def taken(self, units: int) -> Decision:
        """How the meter stands after the decision, when `units` of it have been taken."""
        was = self.figures
        remaining = was.remaining - units if was.limit is not None else 0
        stand = Figures(was.limit, was.granted, was.used, was.held + units, remaining, was.spent, was.reset, was.given)
        soft = stand.taken_percent() >= self.meter.soft_limit_percent
        return Decision(self.meter, stand, units, True, self.reason, soft, False, self.plan, self.calendar)


def figures(account: Account, meter: str, tariff: Tariff, now: datetime) -> Figures:
    """How the meter stands at `now`, to which the account has been advanced."""
    limit, granted, used, held, spent, remaining, unlimited = 0, 0, 0, 0, 0, 0, False
    reset: datetime | None = None
    lots = account.lots(meter, tariff, now)
    for credit in lots:
        kept = account.held.get(credit.id, 0)
        held += kept
        # What is used of a rolling allowance is what has still to come back.
        spent += credit.used if credit.window is None else 0
        if credit.unlimited:
            unlimited, used, reset = True, used + credit.used, credit.expire
            continue
        remaining += credit.balance - kept
        if not credit.allowance:
            granted += credit.balance
        elif credit.window is None:
            limit, used, reset = limit + (credit.amount or 0), used + credit.used, credit.expire
        else:
            limit += credit.balance
    returns = [account.credits[credit_id] for credit_id in account.queue(meter).returning]
    if returns:
        coming = sum(one.amount or 0 for one in returns)
        limit, used, spent = limit + coming, used + coming, spent + coming
        reset = min(one.start for one in returns)
    given = bool(lots or returns)
    if unlimited:
        return Figures(None, granted, used, held, 0, spent, reset, given)
    return Figures(limit, granted, used, held, remaining, spent, reset, given)


def decide(account: Account, meter: str, amount: int, tariff: Tariff, now: datetime) -> Decision:
    """How `amount` more units would be decided on at `now`, to which the account has been advanced."""
    stand = figures(account, meter, tariff, now)
    known, plan = tariff.meters.meter(meter), tariff.plans.plan(account.plan)
    admitted = stand.limit is None or amount <= stand.remaining
    allowance = plan.allowances.get(meter)
    refused = not admitted
    return Decision(
        meter=known,
        figures=stand,
        amount=amount,
        admitted=admitted,
        reason=_reason(stand, admitted),
        soft_limit_reached=stand.taken_percent() >= known.soft_limit_percent,
        shadow=refused and (tariff.shadow or (allowance is not None and allowance.shadow)),
        plan=plan,
        calendar=account.calendar,
        unlocks=tuple(tariff.plans.larger(plan, meter)) if refused else (),
        message=_sentence(account, stand, known, plan, amount, tariff) if refused else "",
    )


def admission(account: Account, meter: str, amount: int, tariff: Tariff, now: datetime) -> Decision:
    """How a use would be decided on: by the meter, or by the credits that pay for it where the meter has too little."""
    decision = decide(account, meter, amount, tariff, now)
    if decision.shadow or not decision.price:
        return decision
    paid = decide(account, CREDITS, amount * decision.price, tariff, now)
    return paid if paid.admitted else decision


def _reason(stand: Figures, admitted: bool) -> Reason:
    if admitted:
        return Reason.UNLIMITED if stand.limit is None else Reason.WITHIN_LIMIT
    if stand.remaining < 0:
        return Reason.IN_DEBT
    return Reason.LIMIT_REACHED if stand.given else Reason.NOT_IN_PLAN


def _sentence(account: Account, stand: Figures, meter: Meter, plan: Plan, amount: int, tariff: Tariff) -> str:
    remedies = "; ".join(_remedies(account, stand, meter, plan, tariff))
    told = _cause(stand, meter, plan, amount)
    return f"{told} {remedies[0].upper()}{remedies[1:]}." if remedies else told


def _cause(stand: Figures, meter: Meter, plan: Plan, amount: int) -> str:
    allowance = plan.allowances.get(meter.name)
    when = THIS_PERIOD[allowance.period] if allowance is not None else ""
    total = stand.spent + stand.held + stand.remaining
    if not stand.given:
        return f"The {plan.display_name} plan has no {meter.units}: its limit is 0."
    if stand.remaining < 0:
        return f"A correction took {-stand.remaining} more {meter.units} than there were."
    if stand.remaining:
        return f"This needs {amount} {meter.units} and {stand.remaining} of the {total}{when} can still be used."
    taken = "used or held by work in progress" if stand.held else "used"
    return f"All {total} {meter.units}{when} are {taken}."


def _remedies(account: Account, stand: Figures, meter: Meter, plan: Plan, tariff: Tariff) -> Iterator[str]:
    if stand.reset is not None:
        allowance = plan.allowances.get(meter.name)
        rolling = allowance is not None and allowance.window is not None
        yield f"{'units come back' if rolling else 'they start anew'} at {account.calendar.local(stand.reset)}"
    larger = next(iter(tariff.plans.larger(plan, meter.name)), None)
    if larger is not None:
        allowance = larger.allowances[meter.name]
        more = "no limit" if allowance.amount is None else f"{allowance.amount} a {allowance.words}"
        yield f"the {larger.display_name} plan has {more}"
    if meter.price and stand.remaining >= 0:
        yield f"bought credits pay for more, {meter.price} for each"
