"""Portraits, fetched from a web that does as the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx2
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from runtime.postgres import Pool, pool
from services.chat_svc.domain.prompt import Persona
from services.chat_svc.scenes.portraits.portraits import Portraits, Source, portraits
from services.chat_svc.scenes.portraits.tmdb import Tmdb
from services.chat_svc.scenes.portraits.web import Unanswered
from services.chat_svc.scenes.portraits.wikipedia import Wikipedia
from services.chat_svc.store import MIGRATIONS, SCHEMA
from services.chat_svc.store.characters import Kept
from tests.service.chat_svc.replica import WAIT_SECONDS

NEO = Persona("Neo", "The Matrix", "The One.", "characters/neo")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FILM = {"media_type": "movie", "title": "The Matrix", "overview": "A hacker learns what is real."}


class Web:
    """A server whose next answer the test sets; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[], web.Response] = partial(web.json_response, {})

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(f"{request.path_qs} {request.headers.get('authorization', '')}".strip())
        return self.answer()


@pytest.fixture
async def pretended() -> AsyncIterator[tuple[Web, str, httpx2.AsyncClient]]:
    known = Web()
    application = web.Application()
    application.router.add_get("/{path:.*}", known.handle)
    async with TestServer(application) as server, httpx2.AsyncClient(timeout=WAIT_SECONDS) as client:
        yield known, str(server.make_url("")).rstrip("/"), client


@pytest.fixture
async def connections(database: str) -> AsyncIterator[Pool]:
    async with pool(database, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield connections


async def test_tmdb_tells_what_the_title_is_about(pretended: tuple[Web, str, httpx2.AsyncClient]) -> None:
    known, url, client = pretended
    results = [{"media_type": "person", "name": "The Matrix"}, {"media_type": "tv", "name": "Matrix"}, "odd", FILM]
    known.answer = partial(web.json_response, {"results": results})
    assert await Tmdb(client, url, SecretStr("key")).text(NEO) == "A hacker learns what is real."
    await Tmdb(client, url, SecretStr("t" * 65)).text(NEO)
    assert known.asked == [
        "/search/multi?query=The+Matrix&include_adult=false&api_key=key",
        f"/search/multi?query=The+Matrix&include_adult=false Bearer {'t' * 65}",
    ]


async def test_wikipedia_tells_of_the_character_and_not_of_a_namesake(
    pretended: tuple[Web, str, httpx2.AsyncClient],
) -> None:
    known, url, client = pretended
    known.answer = partial(web.json_response, {"type": "standard", "extract": "Neo is the hero of The Matrix."})
    assert await Wikipedia(client, url).text(NEO) == "Neo is the hero of The Matrix."
    known.answer = partial(web.json_response, {"type": "standard", "extract": "Neo is a kind of paint."})
    assert await Wikipedia(client, url).text(NEO) == ""
    known.answer = partial(web.json_response, {"type": "disambiguation", "extract": "Neo may be in The Matrix."})
    assert await Wikipedia(client, url).text(NEO) == ""
    known.answer = partial(web.Response, status=404)
    assert await Wikipedia(client, url).text(NEO) == ""


@pytest.mark.parametrize(
    "answer",
    [
        partial(web.Response, status=500),
        partial(web.Response, status=429),
        partial(web.Response, text="{"),
        partial(web.Response, text="[]"),
        partial(web.Response, text="[" * 5_000),
        partial(web.Response, text=" " * 600_000),
    ],
)
async def test_what_is_no_usable_answer_is_said_to_be_none(
    pretended: tuple[Web, str, httpx2.AsyncClient], answer: Callable[[], web.Response]
) -> None:
    known, url, client = pretended
    known.answer = answer
    with pytest.raises(Unanswered):
        await Wikipedia(client, url).text(NEO)


class Told:
    """A source that tells what the test sets, or fails; `waits` until it is let go."""

    def __init__(self, *told: str | Exception) -> None:
        self.told = list(told)
        self.asked = 0
        self.let_go = asyncio.Event()
        self.let_go.set()

    async def text(self, persona: Persona) -> str:
        self.asked += 1
        await self.let_go.wait()
        told = self.told.pop(0)
        if isinstance(told, Exception):
            raise told
        return told


@asynccontextmanager
async def gallery(connections: Pool, now: list[datetime], *sources: Source) -> AsyncIterator[Portraits]:
    async with portraits(sources, Kept(connections), lambda: now[0]) as opened:
        yield opened


async def portrait(gallery: Portraits, wait_seconds: float = 30.0) -> str:
    (found,) = await gallery.portraits([NEO], wait_seconds)
    return found


async def test_a_portrait_is_fetched_once_a_day_by_all_processes_together(connections: Pool) -> None:
    source, now = Told("A hacker.", "A saviour."), [NOON]
    async with gallery(connections, now, source) as here, gallery(connections, now, source) as there:
        found = [await portrait(here), await portrait(here), await portrait(there)]
        now[0] = NOON + timedelta(hours=25)
        found.append(await portrait(here))
    assert (found, source.asked) == (["A hacker."] * 3 + ["A saviour."], 2)


async def test_who_fails_is_left_alone_for_a_while_and_yesterdays_portrait_stays(connections: Pool) -> None:
    source, now = Told("A hacker.", Unanswered("down"), "A saviour."), [NOON]
    async with gallery(connections, now, source) as here:
        found = [await portrait(here)]
        now[0] += timedelta(hours=25)
        found += [await portrait(here), await portrait(here)]
        now[0] += timedelta(minutes=6)
        found.append(await portrait(here))
    assert (found, source.asked) == (["A hacker."] * 3 + ["A saviour."], 3)


async def test_a_portrait_that_is_late_serves_the_next_turn(connections: Pool) -> None:
    source = Told("A hacker.")
    source.let_go.clear()
    async with gallery(connections, [NOON], source) as here:
        late = await asyncio.gather(portrait(here, 0.01), portrait(here, 0.01))
        source.let_go.set()
        async with asyncio.timeout(WAIT_SECONDS):
            while not await portrait(here):
                await asyncio.sleep(0.01)
        assert (list(late), await portrait(here), source.asked) == (["", ""], "A hacker.", 1)


async def test_without_sources_nobody_has_a_portrait(connections: Pool) -> None:
    async with gallery(connections, [NOON]) as here:
        assert await portrait(here) == ""


async def test_whatever_else_a_source_raises_is_no_more_than_a_missing_portrait(connections: Pool) -> None:
    source, now = Told(KeyError("extract"), "A hacker."), [NOON]
    async with gallery(connections, now, source) as here:
        found = [await portrait(here), await portrait(here)]
        now[0] += timedelta(minutes=6)
        found.append(await portrait(here))
    assert (found, source.asked) == (["", "", "A hacker."], 2)
