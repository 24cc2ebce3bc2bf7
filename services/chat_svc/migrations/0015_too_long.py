"""An answer may fail because what was said is too long."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    # Not validated: what is there has passed a narrower check, and nobody is to wait until all of it has been read.
    op.execute("""
        ALTER TABLE messages
            DROP CONSTRAINT messages_failure_reason_check,
            ADD CONSTRAINT messages_failure_reason_check CHECK (
                failure_reason IN ('model_unavailable', 'model_cut', 'interrupted', 'refused', 'prompt_too_long')
            ) NOT VALID
    """)
