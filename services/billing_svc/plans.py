"""`plans.toml` read and checked: a file with faults is refused with all of them named."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from services.billing_svc.domain import FREE, Allowance, Interval, Period, Plan, Price, cheapest_first

PLANS = Path(__file__).with_name("plans.toml")

WINDOW_PATTERN = re.compile(r"([1-9][0-9]{0,8})([smhd])")
WINDOW_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
WINDOW_MAX_DAYS = 366


def _window(text: object) -> timedelta:
    """A length as the file says it, "3h"; ValueError when it is none or too long."""
    match = WINDOW_PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('is a whole number with its unit, s, m, h or d, such as "3h"')
    length = timedelta(**{WINDOW_UNITS[match[2]]: int(match[1])})
    if length > timedelta(days=WINDOW_MAX_DAYS):
        raise ValueError(f"is longer than {WINDOW_MAX_DAYS} days")
    return length


Dollars = Annotated[Decimal, Field(gt=0, decimal_places=2)]
Window = Annotated[timedelta, BeforeValidator(_window)]
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
    window: Window | None = None
    rollover: int = Field(0, ge=0)
    shadow: bool = False

    @model_validator(mode="after")
    def _makes_sense(self) -> "AllowanceEntry":
        if faults := list(self._faults()):
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        if self.unlimited == (self.amount is not None):
            yield "needs either an amount or unlimited = true"
        if self.unlimited:
            yield from self._unlimited_faults()
        elif self.period is Period.ROLLING:
            yield from self._rolling_faults()
        elif self.window is not None:
            yield 'takes no window, because its period is not "rolling"'

    def _unlimited_faults(self) -> Iterator[str]:
        said = {
            "rolling period": self.period is Period.ROLLING,
            "window": self.window is not None,
            "rollover": self.rollover > 0,
            "shadow": self.shadow,
        }
        yield from (f"takes no {word}, because it is unlimited" for word, there in said.items() if there)

    def _rolling_faults(self) -> Iterator[str]:
        if self.window is None:
            yield 'needs a window, because its period is "rolling"'
        if self.rollover:
            yield 'takes no rollover, because its period is "rolling"'

    def allowance(self, meter: str) -> Allowance:
        return Allowance(meter, self.amount, self.period, self.window, self.rollover, self.shadow)


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
            allowances=tuple(entry.allowance(meter) for meter, entry in self.allowances.items()),
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
