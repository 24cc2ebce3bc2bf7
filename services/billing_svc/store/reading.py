"""What users were charged, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from runtime.postgres import Pool, connection
from services.billing_svc.domain.invoice import Given, Invoice
from services.billing_svc.domain.plan import Provider
from services.billing_svc.store import rows
from services.billing_svc.store.rows import LINE_COLUMNS, PAYMENT_COLUMNS
from services.billing_svc.store.statements import PAYMENT

FIRST = f"""
    SELECT {PAYMENT_COLUMNS} FROM payments WHERE user_id = $1 ORDER BY create_time DESC, provider, id LIMIT $2
"""  # noqa: S608 (our own names)
NEXT = f"""
    SELECT {PAYMENT_COLUMNS} FROM payments
    WHERE user_id = $1 AND create_time <= $3 AND (create_time < $3 OR (provider, id) > ($4, $5))
    ORDER BY create_time DESC, provider, id LIMIT $2
"""  # noqa: S608
LINES = f"""
    SELECT {LINE_COLUMNS} FROM payment_lines
    WHERE (provider, payment) IN (SELECT * FROM unnest($1::text[], $2::text[])) ORDER BY place, id
"""  # noqa: S608

# Where a page goes on: the last one's time, provider and id.
Position = tuple[datetime, str, str]


class Invoices:
    """Everybody's."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def invoice(self, provider: Provider, payment_id: str) -> Invoice:
        """LookupError for one that is not kept."""
        async with connection(self._pool) as database:
            found = await database.fetch(PAYMENT, provider.value, payment_id)
            return (await _invoices(database, found))[0]

    async def page(self, user: str, after: Position | None, count_max: int) -> list[Invoice]:
        """A user's, newest first."""
        async with connection(self._pool) as database:
            if after is None:
                found = await database.fetch(FIRST, user, count_max)
            else:
                found = await database.fetch(NEXT, user, count_max, *after)
            return await _invoices(database, found)


async def _invoices(database: PoolConnectionProxy, found: Iterable[Record]) -> list[Invoice]:
    payments = list(found)
    providers, ids = [row["provider"] for row in payments], [row["id"] for row in payments]
    lines: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for row in await database.fetch(LINES, providers, ids):
        lines[row["provider"], row["payment"]].append(row)
    return [_invoice(row, lines[row["provider"], row["id"]]) for row in payments]


def _invoice(row: Record, lines: list[Record]) -> Invoice:
    given = tuple(Given(rows.line(line), line["grant_id"], line["reclaimed"]) for line in lines)
    return Invoice(rows.payment(row, lines), given)
