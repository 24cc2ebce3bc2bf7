"""Subscriptions."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE subscriptions (
            user_id text PRIMARY KEY,
            plan text NOT NULL,
            state text NOT NULL CHECK (state IN ('active', 'cancelled', 'paused')),
            period_end timestamptz,
            updated_at timestamptz NOT NULL DEFAULT now(),
            CHECK (state <> 'cancelled' OR period_end IS NOT NULL)
        )
    """)
