"""The statements of index versions."""

# Whoever begins or ends a build, or puts a version into service, holds it.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/index', 0))"

ACTIVE_NUMBER = "SELECT version FROM index_activations ORDER BY id DESC LIMIT 1"

_VERSIONS = f"""
    SELECT index_versions.*, last.activated_at, last.activated_by,
        coalesce(number = ({ACTIVE_NUMBER}), false) AS active
    FROM index_versions LEFT JOIN LATERAL (
        SELECT * FROM index_activations WHERE version = number ORDER BY id DESC LIMIT 1
    ) AS last ON true
"""  # noqa: S608 (nothing in it comes from outside)

ONE = f"{_VERSIONS} WHERE number = $1"
PAGE = f"{_VERSIONS} WHERE $1::bigint IS NULL OR number < $1 ORDER BY number DESC LIMIT $2"
ACTIVE = f"{_VERSIONS} WHERE number = ({ACTIVE_NUMBER})"
FIT = f"{_VERSIONS} WHERE state = 'ready' ORDER BY number DESC"
BUILDING = "SELECT number FROM index_versions WHERE state = 'building'"

# A file without a version is one of a build that was begun after its number was seen, or of another database.
UNWANTED = "SELECT number FROM index_versions WHERE number = ANY($1::bigint[]) AND state IN ('failed', 'removed')"

# Whether `begin` would find anything to do, without its lock.
WORK = """
    SELECT CASE
        WHEN EXISTS (SELECT FROM index_versions WHERE state = 'building')
        THEN EXISTS (
            SELECT FROM index_versions WHERE state = 'building' AND (owner IS NULL OR leased_until < $1)
        )
        ELSE EXISTS (SELECT FROM build_wishes)
    END
"""
ABANDON = """
    UPDATE index_versions SET state = 'failed', error = $2
    WHERE state = 'building' AND leased_until < $1 RETURNING number
"""
TAKE = """
    UPDATE index_versions SET owner = $1, leased_until = $2
    WHERE state = 'building' AND owner IS NULL RETURNING number
"""
WANTED = """
    SELECT EXISTS (SELECT FROM build_wishes) AND NOT EXISTS (SELECT FROM index_versions WHERE state = 'building')
"""
CREATE = """
    INSERT INTO index_versions (state, owner, leased_until, created_at) VALUES ('building', $1, $2, $3)
    RETURNING number
"""
GRANT = """
    WITH granted AS (DELETE FROM build_wishes RETURNING sync_id)
    UPDATE syncs SET index_version = $1 FROM granted WHERE syncs.id = granted.sync_id
"""
# What these versions were to be built from is to be built into the next one.
WISH_AGAIN = """
    INSERT INTO build_wishes (sync_id, created_at)
    SELECT NULL::uuid, $1::timestamptz UNION ALL SELECT id, $1 FROM syncs WHERE index_version = ANY($2::bigint[])
"""
WISH_ONCE = """
    INSERT INTO build_wishes (created_at) SELECT $1
    WHERE NOT EXISTS (SELECT FROM build_wishes)
        AND NOT EXISTS (SELECT FROM index_versions WHERE state = 'building')
"""

RENEW = """
    UPDATE index_versions SET leased_until = $3 WHERE number = $1 AND owner = $2 AND state = 'building' RETURNING true
"""
FINISH = """
    UPDATE index_versions
    SET state = $3, checksum = $4, size_bytes = $5, titles = $6, characters = $7, actors = $8, comparison = $9::jsonb,
        error = $10, build_ms = round(extract(epoch FROM $11::interval) * 1000), owner = NULL, leased_until = NULL
    WHERE number = $1 AND owner = $2 AND state = 'building' RETURNING true
"""

# An operator who overrules a refusal says that the version is fit.
ACTIVATE = """
    WITH fit AS (UPDATE index_versions SET state = 'ready', error = '' WHERE number = $1 AND state = 'refused')
    INSERT INTO index_activations (version, activated_by, activated_at) VALUES ($1, $2, $3)
"""

# The last so many of those that are fit stay, and of those that were refused; the active one always.
REMOVE = f"""
    UPDATE index_versions SET state = 'removed'
    FROM (
        SELECT number, row_number() OVER (PARTITION BY state ORDER BY number DESC) AS place
        FROM index_versions WHERE state IN ('ready', 'refused')
    ) AS placed
    WHERE placed.number = index_versions.number AND placed.place > $1
        AND index_versions.number IS DISTINCT FROM ({ACTIVE_NUMBER})
"""  # noqa: S608
FORGET = f"""
    WITH old AS (
        SELECT number FROM index_versions WHERE state IN ('failed', 'removed') ORDER BY number DESC OFFSET $1
    ), activations AS (
        DELETE FROM index_activations USING old
        WHERE version = old.number AND version IS DISTINCT FROM ({ACTIVE_NUMBER})
    )
    DELETE FROM index_versions USING old WHERE index_versions.number = old.number
"""  # noqa: S608
