"""Codes, and who redeemed them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from runtime.errors import AlreadyExists
from runtime.postgres import Pool, connection
from services.billing_svc.domain.promo import CreditGift, PlanGift, PromoCode

COLUMNS = """code, credits, plan, days, redemptions_max, redemptions_max_per_user, expire_time, create_time,
    redemptions"""
CREATE = """
    INSERT INTO promo_codes (code, credits, plan, days, redemptions_max, redemptions_max_per_user, expire_time,
        create_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT DO NOTHING RETURNING true
"""
FIRST = f"SELECT {COLUMNS} FROM promo_codes ORDER BY create_time DESC, code LIMIT $1"  # noqa: S608 (our own names)
NEXT = f"""
    SELECT {COLUMNS} FROM promo_codes WHERE create_time <= $2 AND (create_time < $2 OR code > $3)
    ORDER BY create_time DESC, code LIMIT $1
"""  # noqa: S608
# Whoever redeems it has it alone until their transaction ends.
LOCKED = f"SELECT {COLUMNS} FROM promo_codes WHERE code = $1 FOR UPDATE"  # noqa: S608
BY_USER = "SELECT count(*) FROM promo_redemptions WHERE code = $1 AND user_id = $2"
BY_REQUEST = "SELECT code FROM promo_redemptions WHERE user_id = $1 AND request_id = $2"
COUNT = """
    UPDATE promo_codes SET redemptions = redemptions + 1
    WHERE code = $1 AND (redemptions_max IS NULL OR redemptions < redemptions_max)
    RETURNING true
"""
REDEEM = "INSERT INTO promo_redemptions (user_id, request_id, code, redeem_time) VALUES ($1, $2, $3, $4)"

# Where a page goes on: the last one's time and code.
Position = tuple[datetime, str]


class Promos:
    """All codes there are."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def create(self, one: PromoCode) -> None:
        """AlreadyExists (PROMO_CODE_EXISTS) when there is one of that name."""
        given = one.gift.credits if isinstance(one.gift, CreditGift) else None
        plan, days = (one.gift.plan, one.gift.days) if isinstance(one.gift, PlanGift) else (None, None)
        limits = (one.redemptions_max, one.redemptions_max_per_user, one.expire_time, one.create_time)
        async with connection(self._pool) as database:
            created = await database.fetchval(CREATE, one.code, given, plan, days, *limits)
        if not created:
            raise AlreadyExists("There is a code of this name.", reason="PROMO_CODE_EXISTS")

    async def page(self, after: Position | None, count_max: int) -> list[PromoCode]:
        """Newest first."""
        async with connection(self._pool) as database:
            if after is None:
                found = await database.fetch(FIRST, count_max)
            else:
                found = await database.fetch(NEXT, count_max, *after)
        return [_promo_code(row) for row in found]


class Redemptions:
    """Who redeemed what, in the caller's transaction."""

    def __init__(self, database: PoolConnectionProxy) -> None:
        self._database = database

    async def code(self, code: str) -> PromoCode | None:
        """For this transaction alone until it ends."""
        row = await self._database.fetchrow(LOCKED, code)
        return None if row is None else _promo_code(row)

    async def of(self, user: str, code: str) -> int:
        """So often the user redeemed it."""
        count: int = await self._database.fetchval(BY_USER, code, user)
        return count

    async def by(self, user: str, request_id: UUID) -> bool:
        """Whether the user's request has redeemed something."""
        return await self._database.fetchval(BY_REQUEST, user, request_id) is not None

    async def keep(self, user: str, request_id: UUID, code: str, now: datetime) -> bool:
        """False when the code is used up."""
        if not await self._database.fetchval(COUNT, code):
            return False
        await self._database.execute(REDEEM, user, request_id, code, now)
        return True


def _promo_code(row: Record) -> PromoCode:
    gift = PlanGift(row["plan"], row["days"]) if row["plan"] else CreditGift(row["credits"])
    return PromoCode(
        code=row["code"],
        gift=gift,
        redemptions_max=row["redemptions_max"],
        redemptions_max_per_user=row["redemptions_max_per_user"],
        expire_time=row["expire_time"],
        create_time=row["create_time"],
        redemptions=row["redemptions"],
    )
