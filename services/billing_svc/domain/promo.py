"""Codes for everyone who knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class CreditGift:
    """Credits that never end."""

    credits: int


@dataclass(frozen=True)
class PlanGift:
    """Days of a plan, from the moment of redeeming."""

    plan: str
    days: int

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.days)


Gift = CreditGift | PlanGift


@dataclass(frozen=True)
class PromoCode:
    """A code, in capitals. `redemptions_max` is None without limit; `expire_time` is None for one that does not end."""

    code: str
    gift: Gift
    redemptions_max: int | None
    redemptions_max_per_user: int
    expire_time: datetime | None
    create_time: datetime
    redemptions: int = 0
