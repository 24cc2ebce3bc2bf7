"""Characters that people made up, and what was fetched of others."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE custom_characters (
            user_id text NOT NULL,
            id uuid NOT NULL,
            display_name text NOT NULL,
            title text NOT NULL,
            persona text NOT NULL,
            greeting text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, id)
        )
    """)
    op.execute("CREATE INDEX custom_characters_by_age ON custom_characters (user_id, created_at DESC, id DESC)")
    op.execute("""
        CREATE TABLE portraits (
            character text PRIMARY KEY,
            text text NOT NULL,
            fetched_at timestamptz NOT NULL
        )
    """)
