"""Characters that people made up, and portraits of those that they did not."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from runtime.errors import FailedPrecondition, NotFound
from runtime.postgres import Pool, connection
from services.chat_svc.domain.character import CustomCharacter

CHARACTERS_MAX = 100

ADD = """
    INSERT INTO custom_characters (user_id, id, display_name, title, persona, greeting, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

GET = "SELECT * FROM custom_characters WHERE user_id = $1 AND id = $2"

PAGE = """
    SELECT * FROM custom_characters
    WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3::uuid))
    ORDER BY created_at DESC, id DESC
    LIMIT $4
"""

CHANGE = """
    UPDATE custom_characters SET display_name = $3, title = $4, persona = $5, greeting = $6, updated_at = $7
    WHERE user_id = $1 AND id = $2
"""

# Whoever adds one waits for whoever else does: the count is true until the commit.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"

KEEP_PORTRAIT = """
    INSERT INTO portraits (character, text, fetched_at) VALUES ($1, $2, $3)
    ON CONFLICT (character) DO UPDATE SET text = excluded.text, fetched_at = excluded.fetched_at
"""


class CustomCharacters:
    """Every character, each seen by its own user alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, character: CustomCharacter) -> CustomCharacter:
        """Keeps a new character, or gives the one with its id that was kept before; FAILED_PRECONDITION past 100."""
        async with connection(self._pool) as database, database.transaction():
            await database.execute(LOCK, f"custom_characters/{character.user}")
            earlier = await database.fetchrow(GET, character.user, character.id)
            if earlier is not None:
                return _character(earlier)
            count = await database.fetchval("SELECT count(*) FROM custom_characters WHERE user_id = $1", character.user)
            if count >= CHARACTERS_MAX:
                raise FailedPrecondition(
                    f"You have {CHARACTERS_MAX} characters already: delete one first.", reason="TOO_MANY_CHARACTERS"
                )
            await database.execute(ADD, *_values(character), character.created_at, character.updated_at)
        return character

    async def get(self, user: str, character_id: UUID) -> CustomCharacter:
        """One character; NOT_FOUND when the user has no such."""
        async with connection(self._pool) as database:
            row = await database.fetchrow(GET, user, character_id)
        if row is None:
            raise _missing()
        return _character(row)

    async def page(self, user: str, after: tuple[datetime, UUID] | None, limit: int) -> list[CustomCharacter]:
        """Characters behind `after` (when it was made, id), the newest first."""
        made_at, character_id = after or (None, None)
        async with connection(self._pool) as database:
            found = await database.fetch(PAGE, user, made_at, character_id, limit)
        return [_character(row) for row in found]

    async def change(self, character: CustomCharacter) -> None:
        """Keeps what was changed; NOT_FOUND when it was deleted meanwhile."""
        async with connection(self._pool) as database:
            done = await database.execute(CHANGE, *_values(character), character.updated_at)
        if done == "UPDATE 0":
            raise _missing()

    async def delete(self, user: str, character_id: UUID) -> None:
        async with connection(self._pool) as database:
            await database.execute("DELETE FROM custom_characters WHERE user_id = $1 AND id = $2", user, character_id)


class Kept:
    """Portraits that were fetched."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, character: str) -> tuple[str, datetime] | None:
        """The text, and when it was fetched."""
        async with connection(self._pool) as database:
            row = await database.fetchrow("SELECT text, fetched_at FROM portraits WHERE character = $1", character)
        return (row["text"], row["fetched_at"]) if row is not None else None

    async def keep(self, character: str, text: str, at: datetime) -> None:
        async with connection(self._pool) as database:
            await database.execute(KEEP_PORTRAIT, character, text, at)


def _values(character: CustomCharacter) -> Sequence[object]:
    one = character
    return one.user, one.id, one.display_name, one.title, one.persona, one.greeting


def _character(row: Record) -> CustomCharacter:
    return CustomCharacter(
        row["user_id"],
        row["id"],
        row["display_name"],
        row["title"],
        row["persona"],
        row["greeting"],
        row["created_at"],
        row["updated_at"],
    )


def _missing() -> NotFound:
    return NotFound("There is no such character among yours.", reason="CHARACTER_NOT_FOUND")
