"""The catalogue."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE catalogue_sources (
            name text PRIMARY KEY,
            sha256 bytea NOT NULL,
            imported_at timestamptz NOT NULL DEFAULT now()
        )
    """)
    op.execute("""
        CREATE TABLE titles (
            id text PRIMARY KEY,
            source text NOT NULL REFERENCES catalogue_sources ON DELETE CASCADE,
            name text NOT NULL,
            kind text NOT NULL CHECK (kind IN ('film', 'series', 'anime')),
            year integer NOT NULL,
            aliases text[] NOT NULL,
            popularity integer NOT NULL CHECK (popularity BETWEEN 1 AND 100)
        )
    """)
    op.execute("""
        CREATE TABLE characters (
            id text PRIMARY KEY,
            title_id text NOT NULL REFERENCES titles ON DELETE CASCADE,
            name text NOT NULL,
            aliases text[] NOT NULL,
            persona text NOT NULL,
            popularity integer NOT NULL CHECK (popularity BETWEEN 1 AND 100)
        )
    """)
    op.execute("CREATE INDEX titles_source ON titles (source)")
    op.execute("CREATE INDEX characters_title ON characters (title_id)")
