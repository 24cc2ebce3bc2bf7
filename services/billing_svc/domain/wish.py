"""What a buyer asks for."""

from __future__ import annotations

from dataclasses import dataclass

from services.billing_svc.domain.plan import Interval, Provider


@dataclass(frozen=True)
class Wish:
    """A plan at one of its prices, or, where `interval` is None, a pack; by a page of the provider's."""

    user: str
    slug: str
    interval: Interval | None
    provider: Provider
    success_url: str
    cancel_url: str
    trial: bool = False
    promo_code: str = ""
