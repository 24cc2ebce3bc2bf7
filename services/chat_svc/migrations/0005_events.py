"""Events on their way out, and those of others that were handled."""

from alembic import op

from runtime.events.schema import INBOX, OUTBOX

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for statement in (*OUTBOX, *INBOX):
        op.execute(statement)
