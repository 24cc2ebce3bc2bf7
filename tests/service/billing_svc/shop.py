"""What is on offer in tests, a clock that the test sets, and agreements and payments as a provider may say them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.billing_svc.domain.agreement import Agreement, State
from services.billing_svc.domain.payment import Line, Payment, PaymentState
from services.billing_svc.domain.plan import Allowance, Catalogue, Interval, Pack, Period, Plan, Price, Provider

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MONTH = timedelta(days=30)


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        self.now += timedelta(**duration)


def price(plan: str, interval: Interval, cents: int, given: int = 0) -> Price:
    """A price that every provider sells."""
    word = interval.value
    ids = {
        Provider.STRIPE: (f"price_{plan}_{word}",),
        Provider.REVENUECAT: (f"{plan}_{word}",),
        Provider.LEMON_SQUEEZY: (str(1000 + cents),),
        Provider.CRYPTOMUS: (f"plans/{plan}/{word}",),
    }
    return Price(interval, cents, given, ids)


def pack(slug: str, given: int, cents: int) -> Pack:
    """A pack that every provider sells."""
    ids = {
        Provider.STRIPE: (f"price_credits_{slug}",),
        Provider.REVENUECAT: (f"credits_{slug}",),
        Provider.LEMON_SQUEEZY: (str(2000 + cents),),
        Provider.CRYPTOMUS: (f"packs/{slug}",),
    }
    return Pack(slug, f"{given} credits", given, cents, ids)


def _chat(amount: int | None) -> tuple[Allowance, ...]:
    return (Allowance("chat", amount, Period.DAY),)


CATALOGUE = Catalogue(
    (
        Plan("free", "Free", (), _chat(5), 12_000),
        Plan(
            "creator",
            "Creator",
            (price("creator", Interval.WEEK, 299), price("creator", Interval.YEAR, 9999, 50)),
            _chat(50),
            32_000,
        ),
        Plan(
            "pro",
            "Pro",
            (price("pro", Interval.MONTH, 1499, 20), price("pro", Interval.YEAR, 14_999, 300)),
            _chat(None),
            64_000,
            trial_days=7,
        ),
    ),
    (pack("small", 100, 499), pack("large", 1500, 4999)),
)


def agreed(user: str = "ann", plan: str = "pro", **others: Any) -> Agreement:
    """A monthly agreement with Stripe that began NOW; `others` are the attributes that are otherwise."""
    wanted: dict[str, Any] = {
        "provider": Provider.STRIPE,
        "id": f"sub_{user}",
        "user": user,
        "plan": plan,
        "interval": Interval.MONTH,
        "state": State.ACTIVE,
        "start": NOW,
        "period_end": NOW + MONTH,
        "customer": f"cus_{user}",
    }
    return Agreement(**{**wanted, **others})


def paid(user: str = "ann", article: str = "plans/pro", **others: Any) -> Payment:
    """A paid invoice of `agreed`'s first month, or with a pack as the article the payment for it."""
    is_pack = article.startswith("packs/")
    cents, given = (499, 100) if is_pack else (1499, 20)
    line = Line("pack" if is_pack else "il_1", article, cents, credits=given)
    if not is_pack:
        line = Line("il_1", article, cents, Interval.MONTH, NOW, NOW + MONTH, credits=given)
    wanted: dict[str, Any] = {
        "provider": Provider.STRIPE,
        "id": f"pi_{user}" if is_pack else f"in_{user}",
        "user": user,
        "state": PaymentState.PAID,
        "cents": cents,
        "currency": "usd",
        "time": NOW,
        "lines": (line,),
        "agreement": None if is_pack else f"sub_{user}",
    }
    return Payment(**{**wanted, **others})
