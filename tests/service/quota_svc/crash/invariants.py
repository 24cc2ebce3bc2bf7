"""What holds of the ledger at any instant, in SQL: each query finds what breaks a rule."""

from collections.abc import Mapping
from typing import Any

import asyncpg

# One hold's lines and one line's lots, a row each.
LINES = """
    lines AS (
        SELECT user_id, id AS hold, state, line ->> 'meter' AS meter, (line ->> 'settled')::bigint AS settled,
            line -> 'lots' AS lots
        FROM holds, jsonb_array_elements(holds.lines) AS line
    )
"""
LOTS = f"""
    {LINES}, lots AS (
        SELECT user_id, hold, state, (lot ->> 'credit')::uuid AS credit_id, (lot ->> 'amount')::bigint AS amount
        FROM lines, jsonb_array_elements(lines.lots) AS lot
    )
"""

RULES: Mapping[str, str] = {
    "the postings of a user add up to zero": """
        SELECT user_id, sum(amount) FROM postings GROUP BY user_id HAVING sum(amount) <> 0
    """,
    "a credit's balance is the sum of its available postings": """
        WITH sums AS (
            SELECT user_id, credit_id AS id, sum(amount) AS total FROM postings
            WHERE account = 'available' GROUP BY user_id, credit_id
        )
        SELECT user_id, id, balance, total FROM credits FULL JOIN sums USING (user_id, id)
        WHERE balance IS NULL OR balance <> coalesce(total, 0)
    """,
    "what a credit says is used was charged to it": """
        WITH sums AS (
            SELECT user_id, credit_id AS id, sum(amount) AS total FROM entries
            WHERE kind = 'charge' GROUP BY user_id, credit_id
        )
        SELECT user_id, id, used, total FROM credits LEFT JOIN sums USING (user_id, id)
        WHERE used <> coalesce(total, 0)
    """,
    "entries are numbered without a gap": """
        SELECT user_id, accounts.number, max(entries.number), count(entries.number)
        FROM accounts LEFT JOIN entries USING (user_id) GROUP BY user_id
        HAVING accounts.number <> coalesce(max(entries.number), 0) OR accounts.number <> count(entries.number)
    """,
    "an entry's balance is what its meter then had": """
        SELECT * FROM (
            SELECT user_id, number, meter, balance, sum(
                CASE 'available' WHEN credit THEN amount WHEN debit THEN -amount ELSE 0 END
            ) OVER (PARTITION BY user_id, meter ORDER BY number) AS then FROM entries
        ) AS told WHERE balance <> told.then
    """,
    "no balance is below zero": """
        SELECT user_id, id::text, balance FROM credits WHERE balance < 0
        UNION ALL SELECT user_id, number::text, balance FROM entries WHERE balance < 0
    """,
    "a hold's charges are its lines'": f"""
        WITH {LINES}, charges AS (
            SELECT user_id, hold, meter, sum(amount) AS total FROM entries
            WHERE kind = 'charge' GROUP BY user_id, hold, meter
        )
        SELECT user_id, hold, meter, settled, total, state FROM lines FULL JOIN charges USING (user_id, hold, meter)
        WHERE settled IS NULL OR settled <> coalesce(total, 0) OR (state <> 'settled' AND total IS NOT NULL)
    """,
    "a hold charges a credit once": """
        SELECT user_id, hold, credit_id, count(*) FROM entries WHERE kind = 'charge'
        GROUP BY user_id, hold, credit_id HAVING count(*) > 1
    """,
    "a credit is granted once": """
        SELECT user_id, credit_id, count(*) FROM entries WHERE kind IN ('grant', 'allowance')
        GROUP BY user_id, credit_id HAVING count(*) > 1
    """,
    "no more is held than is there": f"""
        WITH {LOTS}, held AS (
            SELECT user_id, credit_id AS id, sum(amount) AS held FROM lots WHERE state = 'held'
            GROUP BY user_id, credit_id
        )
        SELECT user_id, id, held, balance, credits.state FROM held LEFT JOIN credits USING (user_id, id)
        WHERE credits.state IS NULL OR credits.state NOT IN ('open', 'ending')
            OR (credits.amount IS NOT NULL AND held > balance)
    """,
}  # fmt: skip


async def broken(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, list[Any]]:
    """What breaks the rules, by rule; empty when nothing does. All is seen as of one instant."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        found = {rule: [dict(row) for row in await connection.fetch(query)] for rule, query in RULES.items()}
    return {rule: rows for rule, rows in found.items() if rows}
