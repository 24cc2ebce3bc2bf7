"""An answer says whether other processes can read it while it is made."""

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute("ALTER TABLE messages ADD COLUMN unmirrored boolean NOT NULL DEFAULT false")
