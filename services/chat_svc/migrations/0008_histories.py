"""Messages are found by their person and their words at once; what was deleted is known for a while."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # The person stands among the words, as one that no text has: a common word costs as much as its own history.
    op.execute("DROP INDEX messages_by_words")
    op.execute("""
        CREATE INDEX messages_by_words ON messages USING gin ((words || array_to_tsvector(ARRAY[' ' || md5(user_id)])))
    """)
    # Of a word that nearly every message has, the newest are wanted.
    op.execute("CREATE INDEX messages_by_age ON messages (md5(user_id), created_at)")
    op.execute("""
        CREATE TABLE deletions (
            user_id text NOT NULL,
            id uuid NOT NULL,
            deleted_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (user_id, id)
        )
    """)
