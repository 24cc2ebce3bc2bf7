"""The ledger's SQL. One statement reads or writes any number of users at once."""

# Whoever reads to write locks the accounts first, all of them in one order, so that no two wait for each other.
LOCK = "SELECT * FROM accounts WHERE user_id = ANY($1) ORDER BY user_id FOR UPDATE"

OPEN = """
    INSERT INTO accounts (user_id, plan, time_zone, number, changes_of_plan, version, time, create_time)
    SELECT user_id, $2, 'UTC', 0, 0, 0, $3, $3 FROM unnest($1::text[]) AS opened (user_id)
    ON CONFLICT DO NOTHING
    RETURNING user_id
"""

# One account with what is live of it: one statement sees one moment.
ACCOUNT = """
    SELECT accounts.*,
        ARRAY(SELECT credits FROM credits WHERE user_id = $1 AND state <> 'closed') AS credits,
        ARRAY(SELECT holds FROM holds WHERE user_id = $1 AND state = 'held') AS holds
    FROM accounts WHERE user_id = $1
"""
LIVE_CREDITS = "SELECT * FROM credits WHERE user_id = ANY($1) AND state <> 'closed'"
LIVE_HOLDS = "SELECT * FROM holds WHERE user_id = ANY($1) AND state = 'held'"

# Users for whom time alone has something to do.
DUE = """
    SELECT DISTINCT user_id FROM (
        (SELECT user_id FROM holds WHERE state = 'held' AND expire_time <= $1 LIMIT $2)
        UNION ALL
        (SELECT user_id FROM credits WHERE state = 'open' AND expire_time <= $1 ORDER BY expire_time LIMIT $2)
        UNION ALL
        (SELECT user_id FROM credits WHERE state = 'scheduled' AND start_time <= $1 ORDER BY start_time LIMIT $2)
    ) AS due LIMIT $2
"""


def asked(table: str) -> str:
    """Rows of a table by users and ids."""
    return f"""
        SELECT {table}.* FROM unnest($1::text[], $2::uuid[]) AS asked (user_id, id)
        JOIN {table} USING (user_id, id)
    """  # noqa: S608 (the name of a table, never a value)


ASKED_HOLDS = asked("holds")
ASKED_CREDITS = asked("credits")
ASKED_ADJUSTMENTS = asked("adjustments")
ASKED_PLAN_CHANGES = asked("plan_changes")

# What is written of each kind of value, a column each; `columns` gives their values in this order.
FENCE = {"user_id": "text", "version": "bigint"}
ACCOUNTS = {
    "user_id": "text",
    "plan": "text",
    "time_zone": "text",
    "anchor": "timestamptz",
    "number": "bigint",
    "changes_of_plan": "bigint",
    "version": "bigint",
    "taken": "jsonb",
    "time": "timestamptz",
}
CREDITS = {
    "user_id": "text",
    "id": "uuid",
    "meter": "text",
    "source": "text",
    "priority": "integer",
    "amount": "bigint",
    "balance": "bigint",
    "used": "bigint",
    "state": "text",
    "start_time": "timestamptz",
    "expire_time": "timestamptz",
    "create_time": "timestamptz",
    "end_time": "timestamptz",
    "allowance": "boolean",
    "rollover": "bigint",
    "rolling_window": "interval",
    "adjusted": "boolean",
    "fingerprint": "bytea",
}
HOLDS = {
    "user_id": "text",
    "id": "uuid",
    "lines": "jsonb",
    "state": "text",
    "overage": "text",
    "create_time": "timestamptz",
    "expire_time": "timestamptz",
    "resolve_time": "timestamptz",
    "fingerprint": "bytea",
    "settlement": "bytea",
    "voided_by": "text",
    "void_reason": "text",
}
ENTRIES = {
    "user_id": "text",
    "number": "bigint",
    "meter": "text",
    "kind": "text",
    "debit": "text",
    "credit": "text",
    "amount": "bigint",
    "balance": "bigint",
    "source": "text",
    "credit_id": "uuid",
    "hold": "uuid",
    "usage": "jsonb",
    "create_time": "timestamptz",
}
ADJUSTMENTS = {
    "user_id": "text",
    "id": "uuid",
    "meter": "text",
    "amount": "bigint",
    "reason": "text",
    "balance": "bigint",
    "create_time": "timestamptz",
    "fingerprint": "bytea",
}
PLAN_CHANGES = {
    "user_id": "text",
    "id": "uuid",
    "plan": "text",
    "previous": "text",
    "create_time": "timestamptz",
    "fingerprint": "bytea",
}
OUTBOX = {"topic": "text", "payload": "bytea"}

# In the order of the statement's arguments. Holds stand there twice: those that are new, and those that have changed.
PARTS = (FENCE, ACCOUNTS, CREDITS, HOLDS, HOLDS, ENTRIES, ADJUSTMENTS, PLAN_CHANGES, OUTBOX)


def _written() -> str:
    """Whatever has changed of any number of users, in one statement that is fenced.

    Its first arguments are the versions of the accounts that it was decided by. If any account has another one by now,
    nothing is written, and the answer names the accounts: somebody else has changed them in between.
    """
    numbers = iter(range(1, 1 + sum(map(len, PARTS))))
    fence, accounts, credit, new, old, entries, adjustments, plan_changes, outbox = (
        f"unnest({', '.join(f'${next(numbers)}::{kind}[]' for kind in part.values())}) AS new ({', '.join(part)})"
        for part in PARTS
    )
    return f"""
    WITH fence AS MATERIALIZED (
        SELECT user_id, version FROM accounts WHERE user_id = ANY($1) ORDER BY user_id FOR UPDATE
    ), stale AS MATERIALIZED (
        SELECT new.user_id FROM {fence} LEFT JOIN fence USING (user_id)
        WHERE fence.version IS DISTINCT FROM new.version
    ), sound AS MATERIALIZED (
        SELECT NOT EXISTS (SELECT FROM stale) AS is
    ), written_accounts AS (
        UPDATE accounts SET ({_names(ACCOUNTS)}) = ({_news(ACCOUNTS)})
        FROM {accounts} WHERE accounts.user_id = new.user_id AND (SELECT sound.is FROM sound)
    ), written_credits AS (
        INSERT INTO credits ({_names(CREDITS)})
        SELECT new.* FROM {credit} WHERE (SELECT sound.is FROM sound)
        ON CONFLICT (user_id, id) DO UPDATE SET
            amount = excluded.amount, balance = excluded.balance, used = excluded.used, state = excluded.state,
            expire_time = excluded.expire_time, end_time = excluded.end_time, adjusted = excluded.adjusted
    ), new_holds AS (
        INSERT INTO holds ({_names(HOLDS)}) SELECT new.* FROM {new} WHERE (SELECT sound.is FROM sound)
    ), written_holds AS (
        UPDATE holds SET ({_names(HOLDS)}) = ({_news(HOLDS)})
        FROM {old} WHERE holds.user_id = new.user_id AND holds.id = new.id AND (SELECT sound.is FROM sound)
    ), written_entries AS (
        INSERT INTO entries ({_names(ENTRIES)}) SELECT new.* FROM {entries} WHERE (SELECT sound.is FROM sound)
    ), written_adjustments AS (
        INSERT INTO adjustments ({_names(ADJUSTMENTS)})
        SELECT new.* FROM {adjustments} WHERE (SELECT sound.is FROM sound)
    ), written_plan_changes AS (
        INSERT INTO plan_changes ({_names(PLAN_CHANGES)})
        SELECT new.* FROM {plan_changes} WHERE (SELECT sound.is FROM sound)
    ), told AS (
        INSERT INTO outbox ({_names(OUTBOX)}) SELECT new.* FROM {outbox} WHERE (SELECT sound.is FROM sound)
    )
    SELECT user_id FROM stale
    """  # noqa: S608 (names of columns, never a value)


def _names(part: dict[str, str]) -> str:
    return ", ".join(part)


def _news(part: dict[str, str]) -> str:
    return ", ".join(f"new.{name}" for name in part)


WRITE = _written()
