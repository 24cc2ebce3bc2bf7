"""Titles and characters as rows, written and removed in bulk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar
from uuid import UUID

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from services.search_svc.domain.entries import POPULARITY_MAX, POPULARITY_MIN, Actor, Character, Kind, Title
from services.search_svc.domain.keeping import Faults, Holder, cast, sound
from services.search_svc.domain.merging import match_key

Row = TypeVar("Row")

SHIPPED_SUFFIX = ".toml"

# Whoever writes titles holds it to the end of the transaction: an id is nobody else's in between, and no two writers
# wait for each other. Replicas that start together bring the shipped catalogue in once.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/titles', 0))"

# One statement may have a hundred thousand titles to go through.
BULK_SECONDS = 120.0

# Rows are made on the event loop that also answers queries: a few milliseconds at a time.
ROWS_AT_ONCE = 500

SOURCES_OF_TITLES = "SELECT id, source FROM titles WHERE id = ANY($1)"

HOLDERS = """
    SELECT characters.id, title_id, source, titles.popularity
    FROM characters JOIN titles ON titles.id = title_id WHERE characters.id = ANY($1)
"""

KEEP_TITLES = """
    INSERT INTO titles AS kept
        (id, source, name, kind, year, aliases, popularity, adult, overview, match_key, sync_id)
    SELECT id, source, name, kind, year, aliases, popularity, adult, overview, match_key, $2
    FROM json_to_recordset($1::json) AS brought
        (id text, source text, name text, kind text, year integer, aliases text[], popularity real, adult boolean,
         overview text, match_key text)
    ON CONFLICT (id) DO UPDATE SET
        source = excluded.source, name = excluded.name, kind = excluded.kind, year = excluded.year,
        aliases = excluded.aliases, popularity = excluded.popularity, adult = excluded.adult,
        overview = excluded.overview, match_key = excluded.match_key, sync_id = excluded.sync_id
    WHERE (kept.source, kept.name, kept.kind, kept.year, kept.aliases, kept.popularity, kept.adult, kept.overview,
           kept.match_key)
        IS DISTINCT FROM (excluded.source, excluded.name, excluded.kind, excluded.year, excluded.aliases,
           excluded.popularity, excluded.adult, excluded.overview, excluded.match_key)
    RETURNING id
"""

# What was brought again just as it was belongs to this sync, too.
MARK_TITLES = "UPDATE titles SET sync_id = $2 WHERE id = ANY($1) AND sync_id IS DISTINCT FROM $2"

KEEP_CHARACTERS = """
    INSERT INTO characters AS kept (id, title_id, name, aliases, persona, popularity, actor_ids, actor_names)
    SELECT id, title_id, name, aliases, persona, popularity, actor_ids, actor_names
    FROM json_to_recordset($1::json) AS brought
        (id text, title_id text, name text, aliases text[], persona text, popularity real, actor_ids text[],
         actor_names text[])
    ON CONFLICT (id) DO UPDATE SET
        title_id = excluded.title_id, name = excluded.name, aliases = excluded.aliases, persona = excluded.persona,
        popularity = excluded.popularity, actor_ids = excluded.actor_ids, actor_names = excluded.actor_names
    WHERE (kept.title_id, kept.name, kept.aliases, kept.persona, kept.popularity, kept.actor_ids, kept.actor_names)
        IS DISTINCT FROM (excluded.title_id, excluded.name, excluded.aliases, excluded.persona, excluded.popularity,
           excluded.actor_ids, excluded.actor_names)
    RETURNING id
"""

DROP_OTHER_CHARACTERS = """
    DELETE FROM characters
    WHERE title_id = ANY($1) AND NOT EXISTS (SELECT FROM unnest($2::text[]) AS kept (id) WHERE kept.id = characters.id)
"""

DROP_TITLES = "DELETE FROM titles WHERE source = $1 AND id = ANY($2) RETURNING id"

# Characters become better known with their title; those at the very end of a cast list stay there.
SET_POPULARITY = """
    WITH changed AS (
        SELECT titles.id, titles.popularity AS before, brought.popularity AS after
        FROM unnest($2::text[], $3::real[]) AS brought (id, popularity) JOIN titles ON titles.id = brought.id
        WHERE source = $1 AND titles.popularity <> brought.popularity
    ), of_titles AS (
        UPDATE titles SET popularity = after FROM changed WHERE titles.id = changed.id
    ), of_characters AS (
        UPDATE characters SET popularity = least(100, greatest(1, characters.popularity * after / before))
        FROM changed WHERE title_id = changed.id AND characters.popularity > 1
    )
    SELECT count(*) FROM changed
"""


# After a change of the titles, an index is built anew.
WISH = "INSERT INTO build_wishes (sync_id, created_at) VALUES ($1, $2)"


@dataclass(frozen=True, slots=True)
class Written:
    """How many titles and characters were added or changed, and what could not be written."""

    titles: int
    characters: int
    faults: Faults


async def write(database: PoolConnectionProxy, brought: Mapping[str, Sequence[Title]], sync_id: UUID | None) -> Written:
    """Makes titles, given by their source, and their characters what they are said to be; nothing else is touched.

    An id that another source has is left alone. Shipped files are one source here: a title may move among them.
    """
    sources = {title.id: source for source, titles in brought.items() for title in titles}
    titles, faults = await asyncio.to_thread(sound, [title for titles in brought.values() for title in titles])
    if not titles:
        return Written(0, 0, faults)
    titles, foreign = await _without_foreign(database, titles, sources)
    holders = await _holders(database, titles, sources)
    characters, claimed = await asyncio.to_thread(cast, titles, holders)
    titles_changed = characters_changed = 0
    for some in _slices(titles):
        rows = json.dumps([_title_row(title, sources[title.id]) for title in some])
        titles_changed += len(await database.fetch(KEEP_TITLES, rows, sync_id, timeout=BULK_SECONDS))
    for cast_of_some in _slices(characters):
        rows = json.dumps([_character_row(one, title_id) for title_id, one in cast_of_some])
        characters_changed += len(await database.fetch(KEEP_CHARACTERS, rows, timeout=BULK_SECONDS))
    ids = [title.id for title in titles]
    await database.execute(MARK_TITLES, ids, sync_id, timeout=BULK_SECONDS)
    await database.execute(DROP_OTHER_CHARACTERS, ids, [one.id for _, one in characters], timeout=BULK_SECONDS)
    return Written(titles_changed, characters_changed, [*faults, *foreign, *claimed])


async def drop(database: PoolConnectionProxy, source: str, ids: Sequence[str]) -> int:
    """Removes titles of a source; how many were there."""
    return len(await database.fetch(DROP_TITLES, source, ids, timeout=BULK_SECONDS)) if ids else 0


async def set_popularity(database: PoolConnectionProxy, source: str, popularity: Mapping[str, float]) -> int:
    """Says anew how well titles of a source are known, and their characters in proportion; how many changed."""
    values = {
        one: min(max(value, POPULARITY_MIN), POPULARITY_MAX) for one, value in popularity.items() if isfinite(value)
    }
    if not values:
        return 0
    arguments = (source, list(values), list(values.values()))
    return int(await database.fetchval(SET_POPULARITY, *arguments, timeout=BULK_SECONDS))


def title_from(row: Record, characters: Sequence[Character]) -> Title:
    return Title(
        id=row["id"],
        name=row["name"],
        kind=Kind(row["kind"]),
        year=row["year"],
        aliases=tuple(row["aliases"]),
        popularity=_as_written(row["popularity"]),
        characters=tuple(characters),
        adult=row["adult"],
        overview=row["overview"],
    )


def character_from(row: Record) -> Character:
    actors = zip(row["actor_ids"], row["actor_names"], strict=True)
    return Character(
        id=row["id"],
        name=row["name"],
        aliases=tuple(row["aliases"]),
        persona=row["persona"],
        popularity=_as_written(row["popularity"]),
        actors=tuple(Actor(actor_id, name) for actor_id, name in actors),
    )


async def _without_foreign(
    database: PoolConnectionProxy, titles: Sequence[Title], sources: Mapping[str, str]
) -> tuple[list[Title], Faults]:
    """The titles whose ids no other source has."""
    rows = await database.fetch(SOURCES_OF_TITLES, [title.id for title in titles])
    others = {row["id"]: row["source"] for row in rows if not _related(row["source"], sources[row["id"]])}
    faults = [(f"titles/{one}", f"is a title of the source {source} already") for one, source in others.items()]
    return [title for title in titles if title.id not in others], faults


async def _holders(
    database: PoolConnectionProxy, titles: Sequence[Title], sources: Mapping[str, str]
) -> dict[str, Holder]:
    """The titles that have the characters of `titles` now."""
    claimants = {one.id: title for title in titles for one in title.characters}
    return {
        row["id"]: Holder(
            title_id=row["title_id"],
            popularity=_as_written(row["popularity"]),
            foreign=not _related(row["source"], sources[claimants[row["id"]].id]),
        )
        for row in await database.fetch(HOLDERS, list(claimants))
    }


def _slices(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def _related(source: str, other: str) -> bool:
    return source == other or (source.endswith(SHIPPED_SUFFIX) and other.endswith(SHIPPED_SUFFIX))


def _title_row(title: Title, source: str) -> dict[str, object]:
    return {
        "id": title.id,
        "source": source,
        "name": title.name,
        "kind": title.kind.value,
        "year": title.year,
        "aliases": title.aliases,
        "popularity": title.popularity,
        "adult": title.adult,
        "overview": title.overview,
        "match_key": match_key(title),
    }


def _character_row(one: Character, title_id: str) -> dict[str, object]:
    return {
        "id": one.id,
        "title_id": title_id,
        "name": one.name,
        "aliases": one.aliases,
        "persona": one.persona,
        "popularity": one.popularity,
        "actor_ids": [actor.id for actor in one.actors],
        "actor_names": [actor.name for actor in one.actors],
    }


def _as_written(popularity: float) -> float:
    """A four-byte number without the digits that only its conversion has made up."""
    return round(popularity, 4)
