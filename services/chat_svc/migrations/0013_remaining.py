"""A receipt says what was left."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN remaining bigint")
