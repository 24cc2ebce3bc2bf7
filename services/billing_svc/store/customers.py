"""Who a user is to a provider."""

from __future__ import annotations

from runtime.postgres import Pool, connection
from services.billing_svc.domain.plan import Provider

KEEP = "INSERT INTO customers (user_id, provider, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
REPLACE = "UPDATE customers SET id = $4 WHERE user_id = $1 AND provider = $2 AND id = $3"
CUSTOMER = "SELECT id FROM customers WHERE user_id = $1 AND provider = $2"
USER = "SELECT user_id FROM customers WHERE provider = $1 AND id = $2"


class Customers:
    """The buyers that providers know, by our users."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def customer(self, user: str, provider: Provider) -> str | None:
        """The provider's id of a user; None for one whom it does not know yet."""
        async with connection(self._pool) as database:
            found: str | None = await database.fetchval(CUSTOMER, user, provider.value)
        return found

    async def user(self, provider: Provider, customer: str) -> str | None:
        """Whom a provider's id stands for; None for one that is nobody's here."""
        async with connection(self._pool) as database:
            found: str | None = await database.fetchval(USER, provider.value, customer)
        return found

    async def keep(self, user: str, provider: Provider, customer: str) -> str:
        """The customer that the user is from now on: this one, unless another one was kept before."""
        async with connection(self._pool) as database:
            await database.execute(KEEP, user, provider.value, customer)
            kept: str | None = await database.fetchval(CUSTOMER, user, provider.value)
        return kept or customer

    async def replace(self, user: str, provider: Provider, before: str, customer: str) -> str:
        """The customer that the user is from now on: this one, unless `before` was replaced already."""
        async with connection(self._pool) as database:
            await database.execute(REPLACE, user, provider.value, before, customer)
            kept: str | None = await database.fetchval(CUSTOMER, user, provider.value)
        return kept or customer
