"""What is to follow in a round of a group, so that another process can go on with it."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # By the round's first answer, for as long as another one is to follow.
    op.execute("""
        CREATE TABLE rounds (
            user_id text NOT NULL,
            conversation_id uuid NOT NULL,
            answer_id uuid NOT NULL,
            plan jsonb NOT NULL,
            PRIMARY KEY (user_id, conversation_id, answer_id),
            FOREIGN KEY (user_id, conversation_id, answer_id) REFERENCES messages (user_id, conversation_id, id)
                ON DELETE CASCADE
        )
    """)
