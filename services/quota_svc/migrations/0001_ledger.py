"""Accounts, holds and entries. Every key begins with the user, so that the tables can be spread by user."""

from alembic import op

revision = "0001"
down_revision = None

ACCOUNTS = """
    CREATE TABLE accounts (
        user_id text PRIMARY KEY,
        plan text,
        plan_time timestamptz,
        opened_at timestamptz NOT NULL,
        CHECK ((plan IS NULL) = (plan_time IS NULL))
    )
"""

HOLDS = """
    CREATE TABLE holds (
        user_id text NOT NULL REFERENCES accounts,
        id uuid NOT NULL,
        request_id uuid NOT NULL,
        meter text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        from_allowance bigint NOT NULL CHECK (from_allowance >= 0),
        from_grants bigint NOT NULL CHECK (from_grants >= 0),
        state text NOT NULL CHECK (state IN ('held', 'settled', 'released', 'expired')),
        settled_amount bigint NOT NULL CHECK (settled_amount BETWEEN 0 AND amount),
        create_time timestamptz NOT NULL,
        expire_time timestamptz NOT NULL CHECK (expire_time > create_time),
        PRIMARY KEY (user_id, id),
        UNIQUE (user_id, request_id),
        CHECK (from_allowance + from_grants = amount),
        CHECK ((state = 'settled') = (settled_amount > 0))
    )
"""

LIVE_HOLDS = "CREATE INDEX live_holds ON holds (user_id, meter) WHERE state = 'held'"

ENTRIES = """
    CREATE TABLE entries (
        user_id text NOT NULL REFERENCES accounts,
        number bigint NOT NULL CHECK (number > 0),
        meter text NOT NULL,
        amount bigint NOT NULL,
        kind text NOT NULL CHECK (kind IN ('allowance_charge', 'grant_charge', 'grant')),
        hold uuid,
        usage_resource text,
        usage_model text,
        usage_input_tokens bigint,
        usage_output_tokens bigint,
        request_id uuid,
        reserve_time timestamptz NOT NULL,
        create_time timestamptz NOT NULL,
        PRIMARY KEY (user_id, number),
        UNIQUE (user_id, request_id),
        UNIQUE (user_id, hold, kind),
        FOREIGN KEY (user_id, hold) REFERENCES holds,
        CHECK (CASE WHEN kind = 'grant' THEN amount > 0 ELSE amount < 0 END),
        CHECK ((kind = 'grant') = (request_id IS NOT NULL)),
        CHECK ((kind = 'grant') = (hold IS NULL))
    )
"""

ENTRY_SUMS = "CREATE INDEX entry_sums ON entries (user_id, meter, kind, reserve_time) INCLUDE (amount)"

APPEND_ONLY = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'entries are append-only';
    END
    $$
"""

APPEND_ONLY_TRIGGER = """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def upgrade() -> None:
    for statement in (ACCOUNTS, HOLDS, LIVE_HOLDS, ENTRIES, ENTRY_SUMS, APPEND_ONLY, APPEND_ONLY_TRIGGER):
        op.execute(statement)
