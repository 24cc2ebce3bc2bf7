"""Subscriptions in Postgres."""

from pathlib import Path

from runtime.postgres import Pool, connection
from services.billing_svc.domain import State, Subscription

SCHEMA = "billing"
MIGRATIONS = Path(__file__).with_name("migrations")


class Subscriptions:
    """Every subscription that was ever bought."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def subscription(self, user: str) -> Subscription:
        """The user's subscription as it was last kept; the free plan for a user who never bought one."""
        async with connection(self._pool) as database:
            row = await database.fetchrow("SELECT plan, state, period_end FROM subscriptions WHERE user_id = $1", user)
        if row is None:
            return Subscription(user)
        return Subscription(user, row["plan"], State(row["state"]), row["period_end"])
