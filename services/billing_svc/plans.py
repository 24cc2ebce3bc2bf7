"""`plans.toml` read and checked: a file with faults is refused with all of them named."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from services.billing_svc.domain.plan import FREE, Allowance, Catalogue, Interval, Pack, Period, Plan, Price, Provider

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


def _ids(said: object) -> object:
    return [said] if isinstance(said, str) else said


Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Dollars = Annotated[Decimal, Field(gt=0, decimal_places=2)]
Window = Annotated[timedelta, BeforeValidator(_window)]
Meter = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
Seller = Literal["stripe", "revenuecat", "lemon_squeezy", "cryptomus"]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Ids = Annotated[tuple[Name, ...], BeforeValidator(_ids), Field(min_length=1)]
# What sellers call an article, by `plans/{slug}/{interval}` or `packs/{slug}`.
Names = dict[str, Ids]


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


class PriceEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Dollars
    credits: int = Field(0, ge=0)


class PlanEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    slug: Slug
    display_name: str = Field(min_length=1)
    context_tokens: int = Field(ge=1)
    trial_days: int = Field(0, ge=0, le=366)
    prices: dict[Interval, PriceEntry] = {}
    allowances: dict[Meter, AllowanceEntry] = Field(min_length=1)

    @model_validator(mode="after")
    def _priced_unless_free(self) -> "PlanEntry":
        if (self.slug == FREE) == bool(self.prices):
            raise ValueError("the free plan has no prices, every other plan has some")
        if self.slug == FREE and self.trial_days:
            raise ValueError("the free plan needs no trial")
        return self

    def plan(self, sellers: Mapping[Provider, Names]) -> Plan:
        """The entry as a value, its prices from the shortest interval to the longest."""
        return Plan(
            slug=self.slug,
            display_name=self.display_name,
            prices=tuple(self._price(one, sellers) for one in Interval if one in self.prices),
            allowances=tuple(entry.allowance(meter) for meter, entry in self.allowances.items()),
            context_tokens=self.context_tokens,
            trial_days=self.trial_days,
        )

    def _price(self, interval: Interval, sellers: Mapping[Provider, Names]) -> Price:
        entry = self.prices[interval]
        ids = _ids_of(f"plans/{self.slug}/{interval.value}", sellers)
        return Price(interval, int(entry.amount * 100), entry.credits, ids)


class PackEntry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    slug: Slug
    display_name: str = Field(min_length=1)
    credits: int = Field(ge=1)
    amount: Dollars

    def pack(self, sellers: Mapping[Provider, Names]) -> Pack:
        ids = _ids_of(f"packs/{self.slug}", sellers)
        return Pack(self.slug, self.display_name, self.credits, int(self.amount * 100), ids)


class PlansFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    grace_days: int = Field(7, ge=0, le=60)
    plan: list[PlanEntry]
    pack: list[PackEntry] = []
    environment: dict[Literal["test", "live"], dict[Seller, Names]] = {}

    def catalogue(self, environment: Literal["test", "live"]) -> Catalogue:
        sellers = {Provider(word): names for word, names in self.environment.get(environment, {}).items()}
        plans = [entry.plan(sellers) for entry in self.plan]
        return Catalogue(plans, [entry.pack(sellers) for entry in self.pack], grace_days=self.grace_days)


def load(path: Path, environment: Literal["test", "live"]) -> Catalogue:
    """What a file offers, by the names of one environment; PlansError when it has faults, in any of them."""
    try:
        said = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlansError([f"{path.name}: {error}"]) from error
    except OSError as error:
        raise PlansError([f"{path}: {error.strerror}"]) from error
    faults = list(_faults(said))
    try:
        file = PlansFile.model_validate(said)
    except ValidationError as error:
        shape = [f"{_place(fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise PlansError([f"{path.name}: {fault}" for fault in [*shape, *faults]]) from error
    if faults:
        raise PlansError([f"{path.name}: {fault}" for fault in faults])
    return file.catalogue(environment)


def _faults(said: Mapping[str, Any]) -> Iterator[str]:
    """What does not fit together. What has not even the right shape is passed over: it is told elsewhere."""
    for kind in ("plan", "pack"):
        yield from (f"{kind}.{slug}: stands there more than once" for slug in _twice(_slugs(said, kind)))
    if FREE not in _slugs(said, "plan"):
        yield f"plan.{FREE}: is missing"
    articles = set(_articles(said))
    for environment, sellers in _tables(said.get("environment")):
        for seller, names in _tables(sellers):
            place = f"environment.{environment}.{seller}"
            yield from (f"{place}.{article}: is not on offer" for article in names if article not in articles)
            ids = [one for entry in names.values() for one in _listed(entry)]
            yield from (f"{place}: {one} is the id of more than one thing" for one in _twice(ids))
            if seller == Provider.CRYPTOMUS.value:
                foreign = [article for article, entry in names.items() if _listed(entry) != [article]]
                yield from (f"{place}.{article}: is its own id there" for article in foreign)


def _slugs(said: Mapping[str, Any], kind: str) -> list[str]:
    return [str(entry["slug"]) for entry in _entries(said, kind) if "slug" in entry]


def _articles(said: Mapping[str, Any]) -> Iterator[str]:
    for entry in _entries(said, "plan"):
        prices = entry.get("prices")
        if isinstance(prices, dict):
            yield from (f"plans/{entry.get('slug')}/{interval}" for interval in prices)
    yield from (f"packs/{slug}" for slug in _slugs(said, "pack"))


def _entries(said: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    entries = said.get(kind)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _tables(said: object) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(said, dict):
        yield from ((name, table) for name, table in said.items() if isinstance(table, dict))


def _listed(entry: object) -> list[str]:
    said = _ids(entry)
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []


def _twice(words: list[str]) -> list[str]:
    return [word for word, count in Counter(words).items() if count > 1]


def _ids_of(article: str, sellers: Mapping[Provider, Names]) -> dict[Provider, tuple[str, ...]]:
    return {provider: names[article] for provider, names in sellers.items() if article in names}


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
