import asyncio

import pytest

from runtime.errors import NotFound
from runtime.postgres import Pool
from services.search_svc import catalogue
from services.search_svc.catalogue import Source
from services.search_svc.domain import Catalogue, Character, Kind, Title
from services.search_svc.store import Store

NEO = Character("neo", "Neo", ("Thomas Anderson",), "A programmer who asks what is real.", 90)
TRINITY = Character("trinity", "Trinity", (), "A hacker who wastes no words.", 85)
MATRIX = Title("the-matrix", "The Matrix", Kind.FILM, 1999, ("Matrix",), 95, (NEO, TRINITY))
AKIRA = Title("akira", "Akira", Kind.ANIME, 1988, (), 80, ())


def source(name: str, *titles: Title) -> Source:
    return Source(name, repr(titles).encode(), titles)


def listed(catalogue: Catalogue) -> list[Title]:
    return sorted(catalogue, key=lambda title: title.id)


async def test_what_is_brought_in_is_there(connections: Pool) -> None:
    store = Store(connections)
    assert await store.bring_in([source("films", MATRIX), source("anime", AKIRA)]) == ["films", "anime"]
    assert listed(await store.catalogue()) == [AKIRA, MATRIX]


async def test_a_source_that_did_not_change_is_left_alone(connections: Pool) -> None:
    store = Store(connections)
    await store.bring_in([source("films", MATRIX), source("anime", AKIRA)])
    moved = Title("akira", "AKIRA", Kind.ANIME, 1988, (), 81, ())
    assert await store.bring_in([source("films", MATRIX), source("anime", moved)]) == ["anime"]
    assert listed(await store.catalogue()) == [moved, MATRIX]


async def test_what_left_its_source_is_gone(connections: Pool) -> None:
    store = Store(connections)
    await store.bring_in([source("films", MATRIX), source("anime", AKIRA)])
    alone = Title("the-matrix", "The Matrix", Kind.FILM, 1999, ("Matrix",), 95, (NEO,))
    await store.bring_in([source("films", alone)])
    kept = await store.catalogue()
    assert listed(kept) == [alone]
    with pytest.raises(NotFound):
        kept.character("trinity")


async def test_what_moves_to_another_source_or_title_stays(connections: Pool) -> None:
    store = Store(connections)
    await store.bring_in([source("films", MATRIX), source("anime", AKIRA)])
    animatrix = Title("akira", "Akira", Kind.ANIME, 1988, (), 80, (TRINITY,))
    alone = Title("the-matrix", "The Matrix", Kind.FILM, 1999, ("Matrix",), 95, (NEO,))
    await store.bring_in([source("films"), source("anime", alone, animatrix)])
    assert listed(await store.catalogue()) == [animatrix, alone]


async def test_replicas_that_start_together_bring_it_in_once(connections: Pool) -> None:
    sources = catalogue.load(catalogue.SHIPPED)
    async with asyncio.TaskGroup() as replicas:
        started = [replicas.create_task(Store(connections).bring_in(sources)) for _ in range(4)]
    assert sorted(len(one.result()) for one in started) == [0, 0, 0, len(sources)]
    shipped = [title for one in sources for title in one.titles]
    assert {title.id for title in await Store(connections).catalogue()} == {title.id for title in shipped}
