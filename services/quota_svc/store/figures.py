"""The figures of a user's meters: sums over entries and live holds, in one statement and so at one instant."""

from collections.abc import Mapping
from datetime import datetime

from asyncpg.pool import PoolConnectionProxy

from services.quota_svc.domain.meter import Figures
from services.quota_svc.domain.plan import Window

SUMS = """
    SELECT asked.meter, charged.used, credit.granted, held.from_allowance, held.from_grants
    FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) AS asked (meter, starts, ends)
    CROSS JOIN LATERAL (
        SELECT coalesce(-sum(amount), 0)::bigint AS used
        FROM entries
        WHERE user_id = $1 AND meter = asked.meter AND kind = 'allowance_charge'
            AND reserve_time >= asked.starts AND reserve_time < asked.ends
    ) AS charged
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0)::bigint AS granted
        FROM entries
        WHERE user_id = $1 AND meter = asked.meter AND kind IN ('grant', 'grant_charge')
    ) AS credit
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(from_allowance) FILTER (
                WHERE create_time >= asked.starts AND create_time < asked.ends
            ), 0)::bigint AS from_allowance,
            coalesce(sum(from_grants), 0)::bigint AS from_grants
        FROM holds
        WHERE user_id = $1 AND meter = asked.meter AND state = 'held' AND expire_time > $5
    ) AS held
"""


async def figures(
    database: PoolConnectionProxy, user: str, windows: Mapping[str, Window], now: datetime
) -> dict[str, Figures]:
    """The figures of each meter that `windows` names, for the period that it gives."""
    starts = [window.start for window in windows.values()]
    ends = [window.end for window in windows.values()]
    rows = await database.fetch(SUMS, user, list(windows), starts, ends, now)
    return {
        row["meter"]: Figures(row["used"], row["from_allowance"], row["granted"], row["from_grants"]) for row in rows
    }
