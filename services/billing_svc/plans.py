"""`plans.toml` read and checked: a file with faults is refused with all of them named."""

import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.billing_svc.domain import FREE, Allowance, Interval, Period, Plan, Price, cheapest_first

PLANS = Path(__file__).with_name("plans.toml")

Dollars = Annotated[Decimal, Field(gt=0, decimal_places=2)]
Meter = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]


class PlansError(Exception):
    """The file breaks a rule; `faults` names every one, a line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class AllowanceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    period: Period
    amount: int | None = Field(None, ge=1)
    unlimited: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> "AllowanceEntry":
        if self.unlimited == (self.amount is not None):
            raise ValueError("needs either an amount or unlimited = true")
        return self


class PlanEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    slug: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    display_name: str = Field(min_length=1)
    context_tokens: int = Field(ge=1)
    prices: dict[Interval, Dollars] = {}
    allowances: dict[Meter, AllowanceEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _priced_unless_free(self) -> "PlanEntry":
        if (self.slug == FREE) == bool(self.prices):
            raise ValueError("the free plan has no prices, every other plan has some")
        return self

    def plan(self) -> Plan:
        """The entry as a value, its prices from the shortest interval to the longest."""
        return Plan(
            slug=self.slug,
            display_name=self.display_name,
            prices=tuple(Price(one, int(self.prices[one] * 100)) for one in Interval if one in self.prices),
            allowances=tuple(Allowance(meter, entry.amount, entry.period) for meter, entry in self.allowances.items()),
            context_tokens=self.context_tokens,
        )


class PlansFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    plan: list[PlanEntry]


def load(path: Path) -> tuple[Plan, ...]:
    """The plans of a file, cheapest first; PlansError when it has faults."""
    try:
        file = PlansFile.model_validate(tomllib.loads(path.read_text("utf-8"), parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise PlansError([f"{path.name}: {error}"]) from error
    except ValidationError as error:
        faults = [f"{path.name}: {_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise PlansError(faults) from error
    if faults := [f"{path.name}: {fault}" for fault in _slug_faults([entry.slug for entry in file.plan])]:
        raise PlansError(faults)
    return cheapest_first(tuple(entry.plan() for entry in file.plan))


def _slug_faults(slugs: list[str]) -> list[str]:
    faults = [f"plan.{slug}: stands there more than once" for slug, count in Counter(slugs).items() if count > 1]
    return faults if FREE in slugs else [*faults, f"plan.{FREE}: is missing"]


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
