"""Plans: what each allows, and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

FREE = "plans/free"

# Puts daily and monthly amounts on one scale, to say which of two allowances is the larger.
PERIODS_A_MONTH = {"day": 30, "month": 1}


class Period(Enum):
    """How often an allowance starts anew: at midnight UTC, every day or on the first of the month."""

    DAY = "day"
    MONTH = "month"

    def window(self, now: datetime) -> Window:
        """The period that `now` lies in."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Period.DAY:
            return Window(day, datetime.fromordinal(day.toordinal() + 1).replace(tzinfo=UTC))
        first = day.replace(day=1)
        years, month = divmod(first.month, 12)
        return Window(first, first.replace(year=first.year + years, month=month + 1))


@dataclass(frozen=True)
class Window:
    """The instants from `start` up to, and without, `end`."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Allowance:
    """Units of a meter in every period; `amount` is None where there is no limit."""

    meter: str
    amount: int | None
    period: Period

    @property
    def size(self) -> float:
        """Units a month, to compare allowances by."""
        return float("inf") if self.amount is None else self.amount * PERIODS_A_MONTH[self.period.value]


@dataclass(frozen=True)
class Plan:
    """What a plan allows. `name` is `plans/{slug}`; `context_tokens` is what one prompt may carry."""

    name: str
    display_name: str
    allowances: Mapping[str, Allowance]
    context_tokens: int

    def size(self, meter: str) -> float:
        """Units of the meter a month."""
        return self.allowances[meter].size if meter in self.allowances else 0


class PlanTable:
    """Every plan on offer, cheapest first. A plan that is not in it, such as one no longer offered, counts as free."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        self._plans = {plan.name: plan for plan in plans}
        if FREE not in self._plans:
            raise ValueError(f"a plan table needs {FREE}")

    def plan(self, name: str) -> Plan:
        """The plan that counts for a user whose subscription names `name`."""
        return self._plans.get(name, self._plans[FREE])

    def larger(self, plan: Plan, meter: str) -> Plan | None:
        """The cheapest plan that gives more of the meter than `plan`; None when none does."""
        return next((one for one in self._plans.values() if one.size(meter) > plan.size(meter)), None)
