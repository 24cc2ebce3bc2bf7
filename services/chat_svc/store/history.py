"""Finding messages by their words."""

from __future__ import annotations

import asyncio

from asyncpg import Record

from runtime.postgres import Pool, connection
from services.chat_svc.domain.finding import Match, Search
from services.chat_svc.domain.script import in_pairs
from services.chat_svc.domain.snippet import is_unfinished, snippet
from services.chat_svc.store import rows
from services.chat_svc.store.families import with_siblings
from services.chat_svc.store.locks import no_conversation
from services.chat_svc.store.words import tsquery

# Of more matches than these, the newest are ranked; no page goes further.
RANKED_MAX = 2_000

# The statement is planned for the words at hand: how rare they are decides how it is done.
PLANNED_ANEW = "SET LOCAL plan_cache_mode = force_custom_plan"

WORDS = f"SELECT {tsquery('$1::text', '$2::boolean')}::text"

# The person is a word of every message of theirs in the index, which has everybody's.
FOUND = f"""
    WITH matching AS MATERIALIZED (
        SELECT user_id, conversation_id, id, position, created_at, words
        FROM messages
        WHERE words || array_to_tsvector(ARRAY[' ' || md5(user_id)])
                @@ ((quote_literal(' ' || md5($1::text)))::tsquery && $3::tsquery)
            AND md5(user_id) = md5($1) AND user_id = $1 AND ($2::uuid IS NULL OR conversation_id = $2)
        ORDER BY created_at DESC
        LIMIT {RANKED_MAX}
    ),
    best AS MATERIALIZED (
        SELECT user_id, conversation_id, id, position, created_at, ts_rank_cd(words, $3::tsquery) AS rank
        FROM matching
        ORDER BY rank DESC, created_at DESC, conversation_id, position DESC
        LIMIT $4 OFFSET $5
    ),
    whole AS (SELECT messages.*, best.rank FROM messages JOIN best USING (user_id, conversation_id, id))
    SELECT found.*, conversations.display_name AS title
    FROM ({with_siblings("SELECT * FROM whole")}) found
    JOIN conversations ON conversations.user_id = found.user_id AND conversations.id = found.conversation_id
    ORDER BY rank DESC, found.created_at DESC, conversation_id, position DESC
"""  # noqa: S608 (our own)

KNOWN = "SELECT EXISTS (SELECT FROM conversations WHERE user_id = $1 AND id = $2)"


class History:
    """What was said, each person's own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def found(self, user: str, search: Search, after: int, limit: int) -> list[Match]:
        """Matches behind the first `after`, the best first; NOT_FOUND for a conversation that the user has not."""
        async with connection(self._pool) as database, database.transaction(readonly=True):
            if search.conversation and not await database.fetchval(KNOWN, user, search.conversation):
                raise no_conversation()
            words = await database.fetchval(WORDS, in_pairs(search.query), is_unfinished(search.query))
            if not words:
                return []
            await database.execute(PLANNED_ANEW)
            limit = max(0, min(limit, RANKED_MAX - after))
            found = await database.fetch(FOUND, user, search.conversation, words, limit, after)
        return await asyncio.to_thread(_matches, found, search.query)


def _matches(found: list[Record], query: str) -> list[Match]:
    return [Match(rows.message(row), row["title"], snippet(row["text"], query)) for row in found]
