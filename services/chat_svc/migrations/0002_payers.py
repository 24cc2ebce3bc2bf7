"""Which meter pays for an answer, and how much of it a turn costs."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD meter text NOT NULL DEFAULT 'chat', ADD price bigint NOT NULL DEFAULT 1")
