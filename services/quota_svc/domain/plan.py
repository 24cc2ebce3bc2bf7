"""Plans: what each allows, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.meter import MeterTable

FREE = "plans/free"

# The length by which amounts of different periods are compared.
MONTH = timedelta(days=30)
LENGTHS = {Period.DAY: timedelta(days=1), Period.MONTH: MONTH}

WORDS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)


@dataclass(frozen=True)
class Allowance:
    """Units of a meter in every period; `amount` is None where there is no limit.

    `window` is the length of a rolling one; of what is unused, up to `rollover` lives on into the next period. A
    `shadow` limit is watched and not enforced.
    """

    meter: str
    amount: int | None
    period: Period
    window: timedelta | None = None
    rollover: int = 0
    shadow: bool = False

    @property
    def size(self) -> float:
        """Units in thirty days, to compare allowances by."""
        if self.amount is None:
            return float("inf")
        return self.amount * (MONTH / (self.window or LENGTHS[self.period]))

    @property
    def words(self) -> str:
        """The period as a person says it: "day", "3 hours"."""
        if self.window is None:
            return self.period.value
        word, unit = next((word, unit) for word, unit in WORDS if not self.window % unit)
        count = self.window // unit
        return word if count == 1 else f"{count} {word}s"


@dataclass(frozen=True)
class Plan:
    """What a plan allows. `name` is `plans/{slug}`; `context_tokens` is what one prompt may carry."""

    name: str
    display_name: str
    allowances: Mapping[str, Allowance]
    context_tokens: int

    def size(self, meter: str) -> float:
        """Units of the meter in thirty days."""
        return self.allowances[meter].size if meter in self.allowances else 0


class PlanTable:
    """Every plan on offer, cheapest first. A plan that is not in it, such as one no longer offered, counts as free."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._plans = {plan.name: plan for plan in plans}
        if FREE not in self._plans:
            raise ValueError(f"a plan table needs {FREE}")

    def __contains__(self, name: str) -> bool:
        return name in self._plans

    def plan(self, name: str) -> Plan:
        """The plan that counts for a user who is on `name`."""
        return self._plans.get(name, self._plans[FREE])

    def larger(self, plan: Plan, meter: str) -> list[Plan]:
        """The plans that give more of the meter than `plan`, cheapest first."""
        return [one for one in self._plans.values() if one.size(meter) > plan.size(meter)]


@dataclass(frozen=True)
class Tariff:
    """What all decisions go by; with `shadow`, no limit at all is enforced."""

    plans: PlanTable
    meters: MeterTable
    shadow: bool = False

    def allowance(self, plan: str, meter: str) -> Allowance | None:
        return self.plans.plan(plan).allowances.get(meter)
