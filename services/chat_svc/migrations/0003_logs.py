"""Answers keep their whole log, every model that was asked, and what it cost us."""

from alembic import op

revision = "0003"
down_revision = "0002"

# A log of before is the model and the pieces of the text.
LOGS = """
    UPDATE messages SET log = jsonb_build_array(jsonb_build_object('began', model))
        || CASE text WHEN '' THEN '[]' ELSE jsonb_build_array(jsonb_build_object('said', text)) END
    WHERE role = 'character' AND state <> 'streaming'
"""

REASONS = """
    ALTER TABLE messages DROP CONSTRAINT messages_finish_reason_check,
        ADD CHECK (finish_reason IN ('stop', 'length', 'stopped', 'quota'))
"""


def upgrade() -> None:
    op.execute("""
        ALTER TABLE messages
            ADD log jsonb NOT NULL DEFAULT '[]',
            ADD attempts jsonb NOT NULL DEFAULT '[]',
            ADD cost numeric NOT NULL DEFAULT 0,
            ADD cached_tokens bigint NOT NULL DEFAULT 0,
            ADD stop_wished boolean NOT NULL DEFAULT false
    """)
    op.execute(LOGS)
    op.execute("ALTER TABLE messages DROP delta_lengths")
    op.execute(REASONS)
