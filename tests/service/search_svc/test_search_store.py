"""The catalogue in Postgres: what ships brought in, what syncs bring kept, all of it merged on its way out."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from runtime.postgres import Pool
from services.search_svc import catalogue
from services.search_svc.catalogue import Source
from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.store import Catalogue, entries
from services.search_svc.store.catalogue import PAGE_TITLES
from services.search_svc.store.entries import Written

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

NEO = Character("neo", "Neo", ("Thomas Anderson",), "A programmer who asks what is real.", 90)
TRINITY = Character("trinity", "Trinity", (), "A hacker who wastes no words.", 85)
MATRIX = Title("the-matrix", "The Matrix", Kind.FILM, 1999, ("Matrix",), 95, (NEO, TRINITY))
AKIRA = Title("akira", "Akira", Kind.ANIME, 1988, (), 80, ())

KEANU = Actor("tmdb-person-6384", "Keanu Reeves")
JOHN = Character("tmdb-1", "John Wick", (), "", 88.5, (KEANU,))
WICK = Title("tmdb-movie-245891", "John Wick", Kind.FILM, 2014, (), 90.25, (JOHN,), overview="A man had a dog.")


def source(name: str, *titles: Title) -> Source:
    return Source(name, repr(titles).encode(), titles)


def at(pool: Pool) -> Catalogue:
    return Catalogue(pool, lambda: NOW)


async def listed(pool: Pool) -> list[Title]:
    return sorted([title async for title in at(pool).titles()], key=lambda title: title.id)


async def brought(pool: Pool, source: str, *titles: Title, precedence: int = 5) -> Written:
    async with pool.acquire() as connection, connection.transaction():
        insert = "INSERT INTO catalogue_sources (name, precedence) VALUES ($1, $2) ON CONFLICT DO NOTHING"
        await connection.execute(insert, source, precedence)
        return await entries.write(connection, {source: titles}, uuid4())


async def wishes(pool: Pool) -> list[Any]:
    return [row["created_at"] for row in await pool.fetch("SELECT created_at FROM build_wishes ORDER BY id")]


async def test_what_is_brought_in_is_there_and_wishes_for_an_index(connections: Pool) -> None:
    changed = await at(connections).bring_in([source("films.toml", MATRIX), source("anime.toml", AKIRA)])
    assert changed == ["films.toml", "anime.toml"]
    assert await listed(connections) == [AKIRA, MATRIX]
    assert await wishes(connections) == [NOW]


async def test_a_source_that_did_not_change_is_left_alone(connections: Pool) -> None:
    store = at(connections)
    files = [source("films.toml", MATRIX), source("anime.toml", AKIRA)]
    await store.bring_in(files)
    assert await store.bring_in(files) == []
    assert await wishes(connections) == [NOW]
    moved = replace(AKIRA, name="AKIRA", popularity=81)
    assert await store.bring_in([files[0], source("anime.toml", moved)]) == ["anime.toml"]
    assert await listed(connections) == [moved, MATRIX]
    assert await wishes(connections) == [NOW, NOW]


async def test_what_left_its_source_is_gone_and_so_is_what_was_in_a_file_that_is_gone(connections: Pool) -> None:
    store = at(connections)
    await store.bring_in([source("films.toml", MATRIX), source("anime.toml", AKIRA)])
    alone = replace(MATRIX, characters=(NEO,))
    await store.bring_in([source("films.toml", alone)])
    assert await listed(connections) == [alone]


async def test_what_moves_to_another_file_or_title_stays(connections: Pool) -> None:
    store = at(connections)
    await store.bring_in([source("films.toml", MATRIX), source("anime.toml", AKIRA)])
    animatrix, alone = replace(AKIRA, characters=(TRINITY,)), replace(MATRIX, characters=(NEO,))
    await store.bring_in([source("anime.toml", alone, animatrix), source("films.toml")])
    assert await listed(connections) == [animatrix, alone]


async def test_replicas_that_start_together_bring_it_in_once(connections: Pool) -> None:
    sources = catalogue.load(catalogue.SHIPPED)
    async with asyncio.TaskGroup() as replicas:
        started = [replicas.create_task(at(connections).bring_in(sources)) for _ in range(4)]
    assert sorted(len(one.result()) for one in started) == [0, 0, 0, len(sources)]
    shipped = [title for one in sources for title in one.titles]
    assert {title.id for title in await listed(connections)} == {title.id for title in shipped}
    assert await wishes(connections) == [NOW]


async def test_what_ships_and_what_was_synced_leave_each_other_alone(connections: Pool) -> None:
    store = at(connections)
    taken = Title("the-matrix", "Matrix, The", Kind.FILM, 2001, (), 50)
    await brought(connections, "file:the", taken)
    await store.bring_in([source("films.toml", MATRIX, AKIRA)])
    assert await listed(connections) == [AKIRA, taken]
    mine = replace(AKIRA, name="Mine", characters=(replace(JOHN, id="neo"),))
    fault = ("titles/akira", "is a title of the source films.toml already")
    assert await brought(connections, "file:the", mine, taken) == Written(0, 0, [fault])
    await store.bring_in([])
    assert await listed(connections) == [taken]


async def test_what_a_sync_brings_is_counted_when_it_is_new_or_another(connections: Pool) -> None:
    assert await brought(connections, "tmdb", WICK, AKIRA) == Written(2, 1, [])
    assert await listed(connections) == [AKIRA, WICK]
    assert await brought(connections, "tmdb", WICK, AKIRA) == Written(0, 0, [])
    winston = Character("tmdb-3", "Winston", (), "", 70)
    changed = replace(WICK, adult=True, characters=(winston,))
    assert await brought(connections, "tmdb", changed) == Written(1, 1, [])
    assert await listed(connections) == [AKIRA, changed]


async def test_a_character_of_another_source_is_never_taken(connections: Pool) -> None:
    await at(connections).bring_in([source("films.toml", MATRIX)])
    thief = replace(WICK, characters=(replace(JOHN, id="neo"), JOHN))
    fault = ("characters/neo", "belongs to titles/the-matrix of another source")
    assert await brought(connections, "tmdb", thief) == Written(1, 1, [fault])
    assert await listed(connections) == [MATRIX, WICK]


async def test_what_cannot_be_stored_is_passed_over_and_nothing_else(connections: Pool) -> None:
    faults = (await brought(connections, "tmdb", replace(AKIRA, name="\0"), WICK, replace(AKIRA, id="\ud800"))).faults
    assert [why for _, why in faults] == ["holds what is no text"] * 2
    assert await listed(connections) == [WICK]


async def test_characters_are_known_as_well_as_their_title_in_proportion(connections: Pool) -> None:
    extra = Character("tmdb-9", "Guard", (), "", 1)
    wick = replace(WICK, popularity=40, characters=(replace(JOHN, popularity=30), extra))
    await brought(connections, "tmdb", wick, replace(AKIRA, popularity=10))
    await brought(connections, "file:mine", replace(MATRIX, characters=()))
    popularity = {wick.id: 80.0, "akira": 10.0, "the-matrix": 1.0, "nobody": 5.0}
    async with connections.acquire() as connection, connection.transaction():
        assert await entries.set_popularity(connection, "tmdb", popularity) == 1
        beyond = {wick.id: 1e300, "akira": float("nan")}
        assert await entries.set_popularity(connection, "tmdb", beyond) == 1
    known = replace(wick, popularity=100, characters=(replace(JOHN, popularity=75), extra))
    assert await listed(connections) == [
        replace(AKIRA, popularity=10),
        replace(MATRIX, characters=()),
        known,
    ]


async def test_a_source_removes_what_is_its_own_alone(connections: Pool) -> None:
    await brought(connections, "tmdb", WICK)
    await brought(connections, "file:mine", AKIRA)
    async with connections.acquire() as connection:
        assert await entries.drop(connection, "tmdb", [WICK.id, "akira", "nobody"]) == 1
    assert await listed(connections) == [AKIRA]


async def test_a_title_in_two_sources_is_one(connections: Pool) -> None:
    await at(connections).bring_in([source("films.toml", MATRIX)])
    neo = Character("tmdb-1", "NEO", ("The One",), "", 60, (KEANU,))
    tank = Character("tmdb-2", "Tank", (), "", 40)
    await brought(connections, "tmdb", Title("tmdb-movie-603", "The Matrix", Kind.FILM, 1999, (), 97, (neo, tank)))
    completed = replace(NEO, aliases=("Thomas Anderson", "The One"), actors=(KEANU,))
    assert await listed(connections) == [replace(MATRIX, popularity=97, characters=(completed, TRINITY, tank))]


async def test_namesakes_on_the_border_of_a_page_are_still_one(connections: Pool) -> None:
    def numbered(prefix: str, count: int) -> Sequence[Title]:
        return [Title(f"{prefix}-{one}", f"Name {one:05}", Kind.FILM, 2000, (), 50) for one in range(count)]

    ours = numbered("tmdb", PAGE_TITLES + 10)
    await brought(connections, "tmdb", *ours)
    # One title more moves every pair by one, so that one of them is divided.
    await brought(connections, "file:mine", Title("first", "AAA", Kind.FILM, 2000, (), 50), precedence=10)
    await brought(connections, "file:other", *numbered("other", PAGE_TITLES + 10), precedence=20)
    found = [title.id async for title in at(connections).titles()]
    assert found == ["first", *(title.id for title in ours)]


async def test_the_catalogue_is_read_as_it_was_at_one_moment(connections: Pool) -> None:
    await brought(connections, "tmdb", AKIRA, WICK)
    async with aclosing(at(connections).titles()) as titles:
        first = await anext(titles)
        await brought(connections, "tmdb", replace(WICK, name="Baba Yaga"), MATRIX)
        assert [first, *[title async for title in titles]] == [AKIRA, WICK]
