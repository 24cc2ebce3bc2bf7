"""Credit from many sources, holds over several meters, entries as balanced pairs, events.

What the first ledger held goes: nothing could be granted in it, and an allowance that was drawn on starts anew once.
Keys begin with the user, so that the tables can be spread by user. There are no foreign keys: every change of a user's
rows is made by one statement under the lock of the user's account, and a look at another row for each only costs time.
"""

from alembic import op

from runtime.events.schema import INBOX, OUTBOX

revision = "0002"
down_revision = "0001"

BEFORE = "DROP TABLE entries, holds, accounts"

# Room on every page for the next version of a row: a write to an account then touches no index.
ACCOUNTS = """
    CREATE TABLE accounts (
        user_id text PRIMARY KEY,
        plan text NOT NULL,
        time_zone text NOT NULL,
        anchor timestamptz,
        number bigint NOT NULL CHECK (number >= 0),
        changes_of_plan bigint NOT NULL,
        version bigint NOT NULL,
        taken jsonb NOT NULL DEFAULT '[]',
        time timestamptz NOT NULL,
        create_time timestamptz NOT NULL
    ) WITH (fillfactor = 70)
"""

CREDITS = """
    CREATE TABLE credits (
        user_id text NOT NULL,
        id uuid NOT NULL,
        meter text NOT NULL,
        source text NOT NULL CHECK (source IN ('plan', 'purchase', 'promo', 'referral', 'admin')),
        priority integer NOT NULL,
        amount bigint CHECK (amount >= 0),
        balance bigint NOT NULL,
        used bigint NOT NULL CHECK (used >= 0),
        state text NOT NULL CHECK (state IN ('scheduled', 'open', 'ending', 'closed')),
        start_time timestamptz NOT NULL,
        expire_time timestamptz,
        create_time timestamptz NOT NULL,
        end_time timestamptz,
        allowance boolean NOT NULL,
        rollover bigint NOT NULL CHECK (rollover >= 0),
        rolling_window interval,
        adjusted boolean NOT NULL,
        fingerprint bytea,
        PRIMARY KEY (user_id, id),
        CONSTRAINT never_below_zero CHECK (balance >= 0 OR adjusted),
        CHECK (state <> 'closed' OR balance = 0)
    ) WITH (fillfactor = 70)
"""

LIVE_CREDITS = "CREATE INDEX live_credits ON credits (user_id) WHERE state <> 'closed'"
STARTING_CREDITS = "CREATE INDEX starting_credits ON credits (start_time) WHERE state = 'scheduled'"
ENDING_CREDITS = "CREATE INDEX ending_credits ON credits (expire_time) WHERE state = 'open' AND expire_time IS NOT NULL"

HOLDS = """
    CREATE TABLE holds (
        user_id text NOT NULL,
        id uuid NOT NULL,
        lines jsonb NOT NULL,
        state text NOT NULL CHECK (state IN ('held', 'settled', 'released', 'expired', 'voided')),
        overage text NOT NULL CHECK (overage IN ('refused', 'available')),
        create_time timestamptz NOT NULL,
        expire_time timestamptz NOT NULL,
        resolve_time timestamptz,
        fingerprint bytea NOT NULL,
        settlement bytea,
        voided_by text,
        void_reason text,
        PRIMARY KEY (user_id, id),
        CHECK ((state = 'held') = (resolve_time IS NULL)),
        CHECK ((state = 'settled') = (settlement IS NOT NULL)),
        CHECK ((state = 'voided') = (voided_by IS NOT NULL AND void_reason IS NOT NULL))
    )
"""

# It also finds the holds that are due: of those that live at one time there are never many.
LIVE_HOLDS = "CREATE INDEX live_holds ON holds (user_id) INCLUDE (expire_time) WHERE state = 'held'"

ENTRIES = """
    CREATE TABLE entries (
        user_id text NOT NULL,
        number bigint NOT NULL CHECK (number > 0),
        meter text NOT NULL,
        kind text NOT NULL,
        debit text NOT NULL,
        credit text NOT NULL,
        amount bigint NOT NULL CHECK (amount > 0),
        balance bigint NOT NULL,
        source text NOT NULL,
        credit_id uuid,
        hold uuid,
        usage jsonb,
        create_time timestamptz NOT NULL,
        PRIMARY KEY (user_id, number),
        CHECK (debit <> credit),
        CHECK (debit IN ('issued', 'available', 'consumed', 'lapsed', 'reclaimed')),
        CHECK (credit IN ('issued', 'available', 'consumed', 'lapsed', 'reclaimed'))
    )
"""

APPEND_ONLY = """
    CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

# Each entry as the pair that it is: over any set of entries, the postings add up to zero.
POSTINGS = """
    CREATE VIEW postings AS
    SELECT user_id, number, meter, credit_id, debit AS account, -amount AS amount, create_time FROM entries
    UNION ALL
    SELECT user_id, number, meter, credit_id, credit AS account, amount, create_time FROM entries
"""

ADJUSTMENTS = """
    CREATE TABLE adjustments (
        user_id text NOT NULL,
        id uuid NOT NULL,
        meter text NOT NULL,
        amount bigint NOT NULL CHECK (amount <> 0),
        reason text NOT NULL CHECK (reason IN ('refund', 'chargeback', 'correction')),
        balance bigint NOT NULL,
        create_time timestamptz NOT NULL,
        fingerprint bytea NOT NULL,
        PRIMARY KEY (user_id, id)
    )
"""

PLAN_CHANGES = """
    CREATE TABLE plan_changes (
        user_id text NOT NULL,
        id uuid NOT NULL,
        plan text NOT NULL,
        previous text NOT NULL,
        create_time timestamptz NOT NULL,
        fingerprint bytea NOT NULL,
        PRIMARY KEY (user_id, id)
    )
"""

STATEMENTS = (
    BEFORE,
    ACCOUNTS,
    CREDITS,
    LIVE_CREDITS,
    STARTING_CREDITS,
    ENDING_CREDITS,
    HOLDS,
    LIVE_HOLDS,
    ENTRIES,
    APPEND_ONLY,
    POSTINGS,
    ADJUSTMENTS,
    PLAN_CHANGES,
    *OUTBOX,
    *INBOX,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
