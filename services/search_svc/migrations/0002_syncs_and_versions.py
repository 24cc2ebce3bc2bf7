"""Sources from elsewhere, syncs, index versions."""

from alembic import op

from runtime.events.schema import OUTBOX

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for statement in OUTBOX:
        op.execute(statement)
    # Of one title in two sources, the source with the lower precedence is believed.
    op.execute("ALTER TABLE catalogue_sources ADD precedence smallint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE catalogue_sources ALTER sha256 DROP NOT NULL")
    op.execute("""
        ALTER TABLE titles
            DROP CONSTRAINT titles_kind_check,
            DROP CONSTRAINT titles_popularity_check,
            ALTER popularity TYPE real,
            ADD adult boolean NOT NULL DEFAULT false,
            ADD overview text NOT NULL DEFAULT '',
            -- What makes it the same title in another source: its normal name, its year, film or series.
            ADD match_key text NOT NULL DEFAULT '',
            -- The sync that last brought it.
            ADD sync_id uuid,
            ADD CHECK (kind IN ('film', 'series', 'anime', 'cartoon')),
            ADD CHECK (popularity BETWEEN 1 AND 100)
    """)
    op.execute("""
        ALTER TABLE characters
            DROP CONSTRAINT characters_popularity_check,
            ALTER popularity TYPE real,
            ADD actor_ids text[] NOT NULL DEFAULT '{}',
            ADD actor_names text[] NOT NULL DEFAULT '{}',
            ADD CHECK (popularity BETWEEN 1 AND 100),
            ADD CHECK (cardinality(actor_ids) = cardinality(actor_names))
    """)
    # Shipped titles have no match key yet: forgetting their digest brings them in anew.
    op.execute("UPDATE catalogue_sources SET sha256 = NULL")
    op.execute("CREATE INDEX titles_match_key ON titles (match_key)")
    op.execute("""
        CREATE TABLE syncs (
            id uuid PRIMARY KEY,
            source text NOT NULL,
            mode text NOT NULL,
            titles_max integer NOT NULL,
            state text NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
            cancel_requested boolean NOT NULL DEFAULT false,
            -- Where to go on: whatever the source says of itself.
            cursor jsonb NOT NULL DEFAULT '{}',
            step text NOT NULL DEFAULT '',
            done bigint NOT NULL DEFAULT 0,
            total bigint NOT NULL DEFAULT 0,
            titles_kept bigint NOT NULL DEFAULT 0,
            characters_kept bigint NOT NULL DEFAULT 0,
            titles_removed bigint NOT NULL DEFAULT 0,
            faults_total bigint NOT NULL DEFAULT 0,
            faults jsonb NOT NULL DEFAULT '[]',
            error text NOT NULL DEFAULT '',
            index_version bigint,
            -- The process at work, and until when it may be believed to be alive.
            owner uuid,
            leased_until timestamptz,
            created_at timestamptz NOT NULL,
            ended_at timestamptz
        )
    """)
    # One sync of a source at a time.
    op.execute("CREATE UNIQUE INDEX syncs_live ON syncs (source) WHERE state IN ('queued', 'running')")
    op.execute("CREATE INDEX syncs_newest ON syncs (created_at DESC, id)")
    op.execute("""
        CREATE TABLE sync_chunks (
            sync_id uuid NOT NULL REFERENCES syncs ON DELETE CASCADE,
            number integer NOT NULL,
            content bytea NOT NULL,
            PRIMARY KEY (sync_id, number)
        )
    """)
    op.execute("""
        CREATE TABLE index_versions (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            state text NOT NULL CHECK (state IN ('building', 'ready', 'refused', 'failed', 'removed')),
            checksum text NOT NULL DEFAULT '',
            size_bytes bigint NOT NULL DEFAULT 0,
            titles bigint NOT NULL DEFAULT 0,
            characters bigint NOT NULL DEFAULT 0,
            actors bigint NOT NULL DEFAULT 0,
            comparison jsonb,
            error text NOT NULL DEFAULT '',
            build_ms bigint NOT NULL DEFAULT 0,
            owner uuid,
            leased_until timestamptz,
            created_at timestamptz NOT NULL
        )
    """)
    # One build at a time.
    op.execute("CREATE UNIQUE INDEX index_versions_building ON index_versions ((true)) WHERE state = 'building'")
    # The last row is the version in service.
    op.execute("""
        CREATE TABLE index_activations (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            version bigint NOT NULL REFERENCES index_versions,
            activated_by text NOT NULL DEFAULT '',
            activated_at timestamptz NOT NULL
        )
    """)
    # Asked for after a change of the catalogue; a build takes the wish along that is there when it begins.
    op.execute("""
        CREATE TABLE build_wishes (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            sync_id uuid REFERENCES syncs ON DELETE CASCADE,
            created_at timestamptz NOT NULL
        )
    """)
