"""Pages that were opened for users and not paid yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from runtime.postgres import Pool, connection
from services.billing_svc.domain.plan import Interval, Provider

COLUMNS = "user_id, provider, id, article, interval, cents, create_time, expire_time"
KEEP = f"INSERT INTO checkouts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"  # noqa: S608 (our own names)
EARLIER = f"""
    SELECT {COLUMNS} FROM checkouts
    WHERE user_id = $1 AND provider = $2 AND article LIKE 'plans/%' AND expire_time > $3
        AND (create_time, id) < (SELECT create_time, id FROM checkouts WHERE provider = $2 AND id = $4)
    ORDER BY create_time, id
"""  # noqa: S608
FORGET = "DELETE FROM checkouts WHERE provider = $1 AND id = $2"
FORGET_CLOSED = "DELETE FROM checkouts WHERE user_id = $1 AND expire_time <= $2"


@dataclass(frozen=True)
class Checkout:
    """A page, by the provider's id. `article` is what is bought there, `plans/pro` or `packs/small`, for `cents`."""

    user: str
    provider: Provider
    id: str
    article: str
    interval: Interval | None
    cents: int
    create_time: datetime
    expire_time: datetime


class Checkouts:
    """Everybody's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, one: Checkout) -> None:
        """One that is kept stays as it is; those of the user that have closed by then are forgotten."""
        async with connection(self._pool) as database:
            await database.execute(FORGET_CLOSED, one.user, one.create_time)
            await database.execute(
                KEEP,
                one.user,
                one.provider.value,
                one.id,
                one.article,
                one.interval.value if one.interval else None,
                one.cents,
                one.create_time,
                one.expire_time,
            )

    async def earlier(self, one: Checkout, now: datetime) -> list[Checkout]:
        """The user's pages for plans at the same provider that were opened before this one and are still open."""
        async with connection(self._pool) as database:
            found = await database.fetch(EARLIER, one.user, one.provider.value, now, one.id)
        return [_checkout(row) for row in found]

    async def forget(self, one: Checkout) -> None:
        """It is closed, or paid."""
        async with connection(self._pool) as database:
            await database.execute(FORGET, one.provider.value, one.id)


def _checkout(row: Record) -> Checkout:
    return Checkout(
        user=row["user_id"],
        provider=Provider(row["provider"]),
        id=row["id"],
        article=row["article"],
        interval=Interval(row["interval"]) if row["interval"] else None,
        cents=row["cents"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
    )
