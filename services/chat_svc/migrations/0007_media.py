"""Images and recordings, what was written down of them, and what was spoken."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE media (
            user_id text NOT NULL,
            id uuid NOT NULL,
            content_type text NOT NULL,
            content bytea NOT NULL,
            -- What it was made of: a second call with the same request id must bring the same bytes.
            source_sha256 bytea NOT NULL,
            width integer NOT NULL DEFAULT 0,
            height integer NOT NULL DEFAULT 0,
            created_at timestamptz NOT NULL,
            -- Until then it stays, even if no conversation shows it.
            kept_until timestamptz NOT NULL,
            -- A conversation whose messages show it; null while none does.
            conversation_id uuid,
            PRIMARY KEY (user_id, id),
            FOREIGN KEY (user_id, conversation_id) REFERENCES conversations (user_id, id)
                ON DELETE SET NULL (conversation_id)
        )
    """)
    # A picture is compressed already.
    op.execute("ALTER TABLE media ALTER content SET STORAGE EXTERNAL")
    op.execute("CREATE INDEX media_unused ON media (kept_until) WHERE conversation_id IS NULL")
    op.execute("CREATE INDEX media_by_conversation ON media (user_id, conversation_id)")
    op.execute("CREATE INDEX messages_by_media ON messages USING gin (media) WHERE media <> '{}'")
    # A row without its result is a claim: until `claimed_until`, whoever has it works on it.
    op.execute("""
        CREATE TABLE dictations (
            user_id text NOT NULL,
            id uuid NOT NULL,
            media_id uuid NOT NULL,
            claim uuid NOT NULL,
            claimed_until timestamptz NOT NULL,
            text text,
            model text NOT NULL DEFAULT '',
            seconds double precision NOT NULL DEFAULT 0,
            charged bigint NOT NULL DEFAULT 0,
            PRIMARY KEY (user_id, id),
            FOREIGN KEY (user_id, media_id) REFERENCES media (user_id, id) ON DELETE CASCADE
        )
    """)
    op.execute("CREATE INDEX dictations_by_media ON dictations (user_id, media_id)")
    op.execute("""
        CREATE TABLE recitals (
            user_id text NOT NULL,
            conversation_id uuid NOT NULL,
            message_id uuid NOT NULL,
            voice text NOT NULL,
            text_sha256 bytea NOT NULL,
            claim uuid NOT NULL,
            claimed_until timestamptz NOT NULL,
            content bytea,
            PRIMARY KEY (user_id, conversation_id, message_id, voice),
            FOREIGN KEY (user_id, conversation_id, message_id)
                REFERENCES messages (user_id, conversation_id, id) ON DELETE CASCADE
        )
    """)
    op.execute("ALTER TABLE recitals ALTER content SET STORAGE EXTERNAL")
    op.execute("CREATE INDEX recitals_by_claim ON recitals (claim)")
    # Units that the images of the turn cost, on their own meter or on the one that pays there.
    op.execute("""
        ALTER TABLE messages
            ADD images integer NOT NULL DEFAULT 0,
            ADD images_meter text NOT NULL DEFAULT ''
    """)
