"""What quota_svc is still to be told, in order for one user."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.billing_svc.domain.effect import Adjust, Effect, Grant, SetPlan, Source, Why

INSERT = """
    INSERT INTO effects (user_id, id, kind, content, create_time, due_time) VALUES ($1, $2, $3, $4::jsonb, $5, $5)
"""
USERS = """
    SELECT user_id FROM effects WHERE refused IS NULL AND due_time <= $1
    GROUP BY user_id ORDER BY min(due_time) LIMIT $2
"""
# Another process may tell for the same user: it alone does, until its transaction ends.
LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('billing/effects/' || $1, 0))"
READ = """
    SELECT number, id, kind, content, attempts FROM effects
    WHERE user_id = $1 AND refused IS NULL ORDER BY number LIMIT 100
"""
TOLD = "DELETE FROM effects WHERE user_id = $1 AND number = $2"
REFUSED = "UPDATE effects SET refused = $3 WHERE user_id = $1 AND number = $2"
# All of the user's wait, since they are told in order.
LATER = """
    UPDATE effects SET due_time = $2, attempts = attempts + CASE number WHEN $3 THEN 1 ELSE 0 END
    WHERE user_id = $1 AND refused IS NULL
"""
POSTPONED = "UPDATE effects SET due_time = $2 WHERE user_id = $1 AND refused IS NULL"


@dataclass(frozen=True)
class Waiting:
    """An effect that waits; `attempts` failed so far."""

    user: str
    number: int
    effect: Effect
    attempts: int


async def insert(database: PoolConnectionProxy, user: str, effect: Effect, now: datetime) -> None:
    kind, content = _columns(effect)
    await database.execute(INSERT, user, effect.id, kind, json.dumps(content), now)


class Effects:
    """Everybody's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def users(self, now: datetime, users_max: int) -> list[str]:
        """Whose effects are due, the one that has waited longest first."""
        async with connection(self._pool) as database:
            return [row["user_id"] for row in await database.fetch(USERS, now, users_max)]

    @asynccontextmanager
    async def line(self, user: str) -> AsyncIterator[Line | None]:
        """A user's effects, for this process alone while the block runs; None when another one has them."""
        async with connection(self._pool) as database, database.transaction():
            alone = await database.fetchval(LOCK, user)
            yield Line(database, user) if alone else None


class Line:
    """One user's effects, first in, first out."""

    def __init__(self, database: PoolConnectionProxy, user: str) -> None:
        self._database = database
        self._user = user

    async def waiting(self) -> list[Waiting]:
        found = await self._database.fetch(READ, self._user)
        return [Waiting(self._user, row["number"], _effect(row), row["attempts"]) for row in found]

    async def told(self, one: Waiting) -> None:
        """quota_svc has acknowledged it."""
        await self._database.execute(TOLD, one.user, one.number)

    async def refused(self, one: Waiting, reason: str) -> None:
        """quota_svc will never take it; nobody waits behind it."""
        await self._database.execute(REFUSED, one.user, one.number, reason)

    async def later(self, one: Waiting, now: datetime, pause: timedelta) -> None:
        """It, and all behind it, are tried again after the pause."""
        await self._database.execute(LATER, one.user, now + pause, one.number)

    async def postponed(self, due: datetime) -> None:
        """All of it waits until then, whether or not it can be read."""
        await self._database.execute(POSTPONED, self._user, due)


def _columns(effect: Effect) -> tuple[str, dict[str, Any]]:
    match effect:
        case SetPlan(_, plan, reset, anchor):
            return "plan", {"plan": plan, "reset": reset, "anchor": anchor.isoformat() if anchor else None}
        case Grant(_, credits, source):
            return "grant", {"credits": credits, "source": source.value}
        case Adjust(_, credits, why, grant):
            return "adjust", {"credits": credits, "why": why.value, "grant": str(grant)}


def _effect(row: Record) -> Effect:
    content = json.loads(row["content"])
    match row["kind"]:
        case "plan":
            anchor = datetime.fromisoformat(content["anchor"]) if content["anchor"] else None
            return SetPlan(row["id"], content["plan"], content["reset"], anchor)
        case "grant":
            return Grant(row["id"], content["credits"], Source(content["source"]))
        case _:
            return Adjust(row["id"], content["credits"], Why(content["why"]), UUID(content["grant"]))
