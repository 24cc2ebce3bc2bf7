"""What is on offer: plans, packs of credits, and the names that providers know them by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum

FREE = "free"


class Interval(Enum):
    """What is paid for in advance."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Period(Enum):
    """How often an allowance starts anew; ROLLING never does all at once: each unit comes back by itself."""

    DAY = "day"
    MONTH = "month"
    ROLLING = "rolling"


class Provider(Enum):
    """Who takes the money; PROMO is a code of ours, which takes none. Earlier ones go first where all else is equal."""

    STRIPE = "stripe"
    REVENUECAT = "revenuecat"
    LEMON_SQUEEZY = "lemon_squeezy"
    CRYPTOMUS = "cryptomus"
    PROMO = "promo"


@dataclass(frozen=True)
class Price:
    """What one interval costs, in US cents, and the credits that every payment gives beside the plan's allowances.

    `ids` are what providers call it, in the environment of this process; who is not there does not sell it.
    """

    interval: Interval
    cents: int
    credits: int = 0
    ids: Mapping[Provider, tuple[str, ...]] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Plan:
    """A plan on offer; the free one has no prices."""

    slug: str
    display_name: str
    prices: tuple[Price, ...]
    allowances: tuple[Allowance, ...]
    context_tokens: int
    trial_days: int = 0

    @property
    def entry_cents(self) -> int:
        """The least that one must pay to be on it, in US cents."""
        return min((price.cents for price in self.prices), default=0)

    def price(self, interval: Interval) -> Price | None:
        return next((price for price in self.prices if price.interval is interval), None)


@dataclass(frozen=True)
class Pack:
    """Credits on offer, paid for once; they never end."""

    slug: str
    display_name: str
    credits: int
    cents: int
    ids: Mapping[Provider, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class PlanArticle:
    """A plan at one of its prices."""

    plan: Plan
    price: Price


Article = PlanArticle | Pack


class Catalogue:
    """Everything on offer: plans and packs, cheapest first."""

    def __init__(self, plans: Iterable[Plan], packs: Iterable[Pack] = (), *, grace_days: int = 7) -> None:
        self.plans = tuple(sorted(plans, key=lambda plan: (plan.entry_cents, plan.slug)))
        self.packs = tuple(sorted(packs, key=lambda pack: (pack.cents, pack.slug)))
        self.grace = timedelta(days=grace_days)
        self._plans = {plan.slug: plan for plan in self.plans}
        self._packs = {pack.slug: pack for pack in self.packs}
        self._ranks = {plan.slug: rank for rank, plan in enumerate(self.plans)}
        self._sold: dict[tuple[Provider, str], Article] = {}
        for plan in self.plans:
            for price in plan.prices:
                self._sell(PlanArticle(plan, price), price.ids)
        for pack in self.packs:
            self._sell(pack, pack.ids)

    def _sell(self, article: Article, ids: Mapping[Provider, tuple[str, ...]]) -> None:
        self._sold |= {(provider, name): article for provider, names in ids.items() for name in names}

    def sold_by(self, providers: Collection[Provider]) -> Catalogue:
        """The same on offer, from these alone."""

        def kept(ids: Mapping[Provider, tuple[str, ...]]) -> dict[Provider, tuple[str, ...]]:
            return {provider: names for provider, names in ids.items() if provider in providers}

        plans = [
            replace(plan, prices=tuple(replace(price, ids=kept(price.ids)) for price in plan.prices))
            for plan in self.plans
        ]
        packs = [replace(pack, ids=kept(pack.ids)) for pack in self.packs]
        return Catalogue(plans, packs, grace_days=self.grace.days)

    def plan(self, slug: str) -> Plan | None:
        return self._plans.get(slug)

    def pack(self, slug: str) -> Pack | None:
        return self._packs.get(slug)

    def rank(self, slug: str) -> int:
        """Where a plan stands, 0 for the cheapest. One that is no longer on offer is better than nothing."""
        return self._ranks.get(slug, 0)

    def sold(self, provider: Provider, name: str) -> Article | None:
        """What a provider calls so; None when it is nothing of ours."""
        return self._sold.get((provider, name))
