"""Messages are found by their ids, and by those of their parents, however many a conversation has."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # PostgreSQL believes that one person's one conversation has one message, so that the index by position looked as
    # good as the primary key, and all of the conversation was read for each message. These look better: they begin with
    # what tells messages apart, and are smaller.
    op.execute("CREATE INDEX messages_by_id ON messages (id)")
    op.execute("DROP INDEX messages_by_parent")
    op.execute("CREATE INDEX messages_by_parent ON messages (parent_id, conversation_id)")
