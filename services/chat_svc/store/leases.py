"""Leases on answers: who makes each, for how long nobody else does, and how they change hands.

A lease begins when it is written, which may be long after its statement began: one that waits for a lock must not eat
the time of what it renews.
"""

from uuid import UUID

# Answers that their owner leaves to whoever takes them, for as long as the lease runs, belong to nobody.
NOBODY = UUID(int=0)

NOW = "SELECT clock_timestamp()"

# Gives those that are still the owner's. One that somebody locks keeps no other waiting: its turn comes with the next.
RENEW = """
    WITH free AS (
        SELECT user_id, conversation_id, id FROM messages
        WHERE owner = $1 AND id = ANY($2::uuid[]) AND state = 'streaming'
        FOR UPDATE SKIP LOCKED
    ), renewed AS (
        UPDATE messages
        SET lease_until = clock_timestamp() + make_interval(secs => $3), unmirrored = id = ANY($4::uuid[])
        WHERE (user_id, conversation_id, id) IN (SELECT * FROM free)
    )
    SELECT id, stop_wished FROM messages WHERE owner = $1 AND id = ANY($2::uuid[]) AND state = 'streaming'
"""

# SKIP LOCKED: of several processes that look at once, each takes what the others do not. Answers come before holds. A
# statement that reached its rows too late takes none: whoever owns them may have waited behind it.
TAKE_LAPSED = """
    UPDATE messages SET owner = $1, lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE (user_id, conversation_id, id) IN (
        SELECT user_id, conversation_id, id FROM messages
        WHERE NOT hold_resolved AND lease_until < now() AND id <> ALL($2::uuid[])
            AND clock_timestamp() < $5::timestamptz + make_interval(secs => $6)
        ORDER BY state <> 'streaming', lease_until
        LIMIT $4
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""

OFFER = """
    UPDATE messages SET owner = $5, lease_until = clock_timestamp() + make_interval(secs => $6),
        handed_over = $7::jsonb, log = $8::jsonb
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND owner = $4 AND state = 'streaming'
    RETURNING id
"""

TAKE_OFFERED = """
    UPDATE messages SET owner = $1, lease_until = clock_timestamp() + make_interval(secs => $3)
    WHERE (user_id, conversation_id, id) IN (
        SELECT user_id, conversation_id, id FROM messages
        WHERE state = 'streaming' AND owner = $2 AND lease_until > now()
        ORDER BY lease_until
        LIMIT $4
        FOR UPDATE SKIP LOCKED
    )
    RETURNING *
"""

TAKE_BACK = """
    UPDATE messages SET owner = $4, lease_until = clock_timestamp() + make_interval(secs => $6)
    WHERE user_id = $1 AND conversation_id = $2 AND id = $3 AND owner = $5 AND state = 'streaming'
    RETURNING id
"""
