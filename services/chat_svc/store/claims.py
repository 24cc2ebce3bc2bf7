"""Work that is done once, however many ask for it at once: a row without its result is a claim to make it.

Whoever has the claim of a row works on it; others wait. A claim ends with the result, when it is given up, or, as its
owner died, with its time.
"""

from __future__ import annotations

from uuid import UUID

from runtime.postgres import Pool, connection
from services.chat_svc.domain.audio import Dictation

# Longer than any work takes.
CLAIM_SECONDS = 70.0

CLAIM_DICTATION = """
    INSERT INTO dictations (user_id, id, media_id, claim, claimed_until)
    VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5))
    ON CONFLICT (user_id, id) DO UPDATE SET claim = excluded.claim, claimed_until = excluded.claimed_until
        WHERE dictations.text IS NULL AND dictations.claimed_until < now()
    RETURNING claim
"""

KEEP_DICTATION = """
    UPDATE dictations SET text = $4, model = $5, seconds = $6, charged = $7
    WHERE user_id = $1 AND id = $2 AND claim = $3
"""

CLAIM_RECITAL = """
    INSERT INTO recitals (user_id, conversation_id, message_id, voice, text_sha256, claim, claimed_until)
    VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
    ON CONFLICT (user_id, conversation_id, message_id, voice) DO UPDATE SET
        text_sha256 = excluded.text_sha256, claim = excluded.claim, claimed_until = excluded.claimed_until,
        content = NULL
        WHERE recitals.text_sha256 <> excluded.text_sha256
            OR (recitals.content IS NULL AND recitals.claimed_until < now())
    RETURNING claim
"""

KEEP_RECITAL = "UPDATE recitals SET content = $2 WHERE user_id = $1 AND claim = $3"


class Dictations:
    """What was written down of recordings, by the id of the request that asked for it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, user: str, request: UUID, media: UUID, claim: UUID) -> bool:
        """Whether the caller is to do it, under this claim."""
        async with connection(self._pool) as database:
            return bool(await database.fetchval(CLAIM_DICTATION, user, request, media, claim, CLAIM_SECONDS))

    async def find(self, user: str, request: UUID) -> Dictation | None:
        """What there is already."""
        query = "SELECT * FROM dictations WHERE user_id = $1 AND id = $2 AND text IS NOT NULL"
        async with connection(self._pool) as database:
            row = await database.fetchrow(query, user, request)
        return Dictation(row["text"], row["model"], row["seconds"], row["charged"]) if row is not None else None

    async def keep(self, user: str, request: UUID, claim: UUID, made: Dictation) -> None:
        async with connection(self._pool) as database:
            await database.execute(
                KEEP_DICTATION, user, request, claim, made.text, made.model, made.seconds, made.charged
            )

    async def give_up(self, user: str, request: UUID, claim: UUID) -> None:
        """The next one who asks is to do it."""
        query = "DELETE FROM dictations WHERE user_id = $1 AND id = $2 AND claim = $3 AND text IS NULL"
        async with connection(self._pool) as database:
            await database.execute(query, user, request, claim)


class Recitals:
    """Messages read aloud, each once in every voice."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, user: str, conversation: UUID, message: UUID, voice: str, sha256: bytes, claim: UUID) -> bool:
        """Whether the caller is to do it, under this claim; of another text before, what was made is forgotten."""
        arguments = (user, conversation, message, voice, sha256, claim, CLAIM_SECONDS)
        async with connection(self._pool) as database:
            return bool(await database.fetchval(CLAIM_RECITAL, *arguments))

    async def find(self, user: str, conversation: UUID, message: UUID, voice: str, sha256: bytes) -> bytes | None:
        """What there is already."""
        query = """
            SELECT content FROM recitals
            WHERE user_id = $1 AND conversation_id = $2 AND message_id = $3 AND voice = $4 AND text_sha256 = $5
        """
        async with connection(self._pool) as database:
            content: bytes | None = await database.fetchval(query, user, conversation, message, voice, sha256)
        return content

    async def keep(self, user: str, claim: UUID, content: bytes) -> None:
        async with connection(self._pool) as database:
            await database.execute(KEEP_RECITAL, user, content, claim)

    async def give_up(self, user: str, claim: UUID) -> None:
        """The next one who asks is to do it."""
        query = "DELETE FROM recitals WHERE user_id = $1 AND claim = $2 AND content IS NULL"
        async with connection(self._pool) as database:
            await database.execute(query, user, claim)
