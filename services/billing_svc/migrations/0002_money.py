"""Agreements, payments and what they give; what providers deliver; what is still to be told."""

from alembic import op

from runtime.events.schema import OUTBOX

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "DROP TABLE subscriptions",
    # A user's agreements merged into one. `revision` counts the plans that quota_svc was told.
    """
    CREATE TABLE subscriptions (
        user_id text PRIMARY KEY,
        plan text NOT NULL,
        state text NOT NULL,
        provider text,
        agreement text,
        revision bigint NOT NULL,
        due_time timestamptz
    )
    """,
    "CREATE INDEX subscriptions_due ON subscriptions (due_time) WHERE due_time IS NOT NULL",
    # `fence` is the number of the reading that a row comes from: what was read earlier never replaces it.
    """
    CREATE TABLE agreements (
        user_id text NOT NULL,
        provider text NOT NULL,
        id text NOT NULL,
        plan text NOT NULL,
        interval text,
        state text NOT NULL,
        start_time timestamptz NOT NULL,
        period_end timestamptz NOT NULL,
        grace_end timestamptz,
        resume_time timestamptz,
        next_plan text,
        next_interval text,
        revoked_until timestamptz,
        customer text NOT NULL,
        trial boolean NOT NULL,
        fence bigint NOT NULL,
        PRIMARY KEY (provider, id)
    )
    """,
    "CREATE INDEX agreements_user ON agreements (user_id)",
    "CREATE SEQUENCE fences",
    """
    CREATE TABLE payments (
        user_id text NOT NULL,
        provider text NOT NULL,
        id text NOT NULL,
        agreement text,
        state text NOT NULL,
        cents bigint NOT NULL,
        currency text NOT NULL,
        refunded bigint NOT NULL CHECK (refunded >= 0),
        disputed boolean NOT NULL,
        failed boolean NOT NULL,
        create_time timestamptz NOT NULL,
        number text NOT NULL,
        url text NOT NULL,
        fence bigint NOT NULL,
        PRIMARY KEY (provider, id)
    )
    """,
    "CREATE INDEX payments_user ON payments (user_id, create_time DESC, provider, id)",
    "CREATE INDEX payments_agreement ON payments (provider, agreement) WHERE agreement IS NOT NULL",
    # `grant_id` is the credit in quota_svc, once the line is paid; `reclaimed` of its credits were taken back, in
    # `adjustments` steps.
    """
    CREATE TABLE payment_lines (
        provider text NOT NULL,
        payment text NOT NULL,
        id text NOT NULL,
        place int NOT NULL,
        article text NOT NULL,
        cents bigint NOT NULL,
        interval text,
        start_time timestamptz,
        end_time timestamptz,
        proration boolean NOT NULL,
        credits bigint NOT NULL CHECK (credits >= 0),
        grant_id uuid UNIQUE,
        reclaimed bigint NOT NULL DEFAULT 0 CHECK (reclaimed BETWEEN 0 AND credits),
        adjustments int NOT NULL DEFAULT 0,
        PRIMARY KEY (provider, payment, id),
        FOREIGN KEY (provider, payment) REFERENCES payments (provider, id)
    )
    """,
    # What quota_svc is to be told, in order for one user. A row goes when quota_svc has acknowledged it; one that it
    # refused stays, with the reason, and nobody waits behind it.
    """
    CREATE TABLE effects (
        user_id text NOT NULL,
        number bigint GENERATED ALWAYS AS IDENTITY,
        id uuid NOT NULL UNIQUE,
        kind text NOT NULL CHECK (kind IN ('plan', 'grant', 'adjust')),
        content jsonb NOT NULL,
        create_time timestamptz NOT NULL,
        due_time timestamptz NOT NULL,
        attempts int NOT NULL DEFAULT 0,
        refused text,
        PRIMARY KEY (user_id, number)
    )
    """,
    "CREATE INDEX effects_due ON effects (due_time) WHERE refused IS NULL",
    # What providers sent. `subject` is what of the provider's it concerns, for those whose events say all there is.
    """
    CREATE TABLE deliveries (
        id uuid PRIMARY KEY,
        provider text NOT NULL,
        event_id text NOT NULL,
        event_type text NOT NULL,
        event_time timestamptz NOT NULL,
        subjects text[] NOT NULL,
        body bytea NOT NULL,
        receive_time timestamptz NOT NULL,
        state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'ignored', 'dead')),
        detail text NOT NULL DEFAULT '',
        attempts int NOT NULL DEFAULT 0,
        due_time timestamptz NOT NULL,
        end_time timestamptz,
        UNIQUE (provider, event_id)
    ) WITH (autovacuum_vacuum_scale_factor = 0.05)
    """,
    "CREATE INDEX deliveries_due ON deliveries (provider, due_time) WHERE state = 'pending'",
    "CREATE INDEX deliveries_listed ON deliveries (receive_time DESC, id DESC)",
    "CREATE INDEX deliveries_subjects ON deliveries USING gin (subjects)",
    """
    CREATE TABLE customers (
        user_id text NOT NULL,
        provider text NOT NULL,
        id text NOT NULL,
        PRIMARY KEY (user_id, provider),
        UNIQUE (provider, id)
    )
    """,
    # Pages that were opened for a user and not paid yet; `article` as in payment_lines.
    """
    CREATE TABLE checkouts (
        user_id text NOT NULL,
        provider text NOT NULL,
        id text NOT NULL,
        article text NOT NULL,
        interval text,
        cents bigint NOT NULL,
        create_time timestamptz NOT NULL,
        expire_time timestamptz NOT NULL,
        PRIMARY KEY (provider, id)
    )
    """,
    "CREATE INDEX checkouts_user ON checkouts (user_id)",
    # Requests that change something: the same one again gets the same answer. `answer` is null while it is at work.
    """
    CREATE TABLE requests (
        user_id text NOT NULL,
        request_id uuid NOT NULL,
        digest bytea NOT NULL,
        answer bytea,
        lease_time timestamptz NOT NULL,
        PRIMARY KEY (user_id, request_id)
    )
    """,
    "CREATE INDEX requests_lease ON requests (lease_time)",
    """
    CREATE TABLE promo_codes (
        code text PRIMARY KEY,
        credits bigint,
        plan text,
        days int,
        redemptions_max bigint,
        redemptions_max_per_user int NOT NULL,
        expire_time timestamptz,
        create_time timestamptz NOT NULL,
        redemptions bigint NOT NULL DEFAULT 0,
        CHECK (redemptions_max IS NULL OR redemptions <= redemptions_max),
        CHECK ((credits IS NULL) <> (plan IS NULL))
    )
    """,
    """
    CREATE TABLE promo_redemptions (
        user_id text NOT NULL,
        request_id uuid NOT NULL,
        code text NOT NULL REFERENCES promo_codes (code),
        redeem_time timestamptz NOT NULL,
        PRIMARY KEY (user_id, request_id)
    )
    """,
    "CREATE INDEX promo_redemptions_code ON promo_redemptions (code, user_id)",
    *OUTBOX,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
