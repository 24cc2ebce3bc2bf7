"""Who is which customer at Stripe."""

from __future__ import annotations

from typing import Protocol

from services.billing_svc.domain.plan import Provider


class Customers(Protocol):
    """Users and their customers; a user has one at each provider."""

    async def customer(self, user: str, provider: Provider) -> str | None:
        """The user's customer; None for who never bought there."""

    async def user(self, provider: Provider, customer: str) -> str | None:
        """Whose customer it is; None for one that is nobody's here."""

    async def keep(self, user: str, provider: Provider, customer: str) -> str:
        """The user's customer from now on: this one, unless another one was kept before."""

    async def replace(self, user: str, provider: Provider, before: str, customer: str) -> str:
        """The user's customer from now on: this one instead of `before`, unless that was replaced already."""
