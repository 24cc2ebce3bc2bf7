"""A TMDB that is slow, overloaded, broken, changed, or refuses."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from services.search_svc.sources.source import SourceError
from services.search_svc.sources.web import Unanswered
from tests.service.search_svc.sources.fake_tmdb import KEY, fake_tmdb, film, series
from tests.service.search_svc.sources.fake_web import Trouble
from tests.service.search_svc.sources.reading import IMPATIENT, QUICK, faults, read, source_of, titles

FILMS = [film(number, f"Film {number}", 100.0 - number) for number in range(1, 11)]
ALL = [f"Film {number}" for number in range(1, 11)]


def names(batches: Any) -> list[str]:
    return [title.name for title in titles(batches)]


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(status=429, headers={"retry-after": "2"}),
        Trouble(status=500),
        Trouble(cut=True),
        Trouble(stall=True),
        Trouble(body=b'{"id": 5, "tit'),
    ],
    ids=str,
)
async def test_trouble_that_passes_leaves_no_trace(trouble: Trouble) -> None:
    # On a busy machine more attempts than those that stall may be given up.
    limits = replace(IMPATIENT, attempts_max=30) if trouble.stall else QUICK
    async with fake_tmdb(FILMS) as fake, source_of(fake, limits=limits) as source:
        for path in ("movie/popular", "movie/5", "movie/6"):
            fake.trouble(path, trouble)
        fake.exports.trouble("movie_ids_11_21_2026.json.gz", trouble)
        batches = await read(source)
    assert names(batches) == ALL
    assert faults(batches) == []


async def test_a_title_that_cannot_be_had_is_passed_over() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.always("movie/5", Trouble(status=500))
        batches = await read(source)
    assert names(batches) == [name for name in ALL if name != "Film 5"]
    why = "HTTP status 500, 3 times in a row. Resume the sync when it answers again."
    assert faults(batches) == [("movie/5", f"TMDB gave no usable answer to movie/5: {why}")]


async def test_when_several_titles_cannot_be_had_the_source_gives_up() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        for number in range(1, 5):
            fake.always(f"movie/{number}", Trouble(status=503))
        with pytest.raises(Unanswered, match="Resume the sync when it answers again"):
            await read(source)
        for number in range(1, 5):
            fake.always(f"movie/{number}", None)
        assert names(await read(source)) == ALL


async def test_a_list_that_cannot_be_had_ends_the_run_and_another_goes_on() -> None:
    many = [film(number, f"Film {number}", 100.0 - number) for number in range(1, 61)]
    async with fake_tmdb(many) as fake, source_of(fake) as source:
        first = await read(source, batches_max=2)
        fake.always("movie/popular", Trouble(status=502))
        with pytest.raises(SourceError, match="TMDB gave no usable answer to movie/popular: HTTP status 502"):
            await read(source, cursor=first[-1].cursor)
        fake.always("movie/popular", None)
        rest = await read(source, cursor=first[-1].cursor)
    assert names(first + rest) == [f"Film {number}" for number in range(1, 61)]


@pytest.mark.parametrize("path", ["movie/popular", "movie/5"])
async def test_a_wrong_key_ends_the_run_at_once(path: str) -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.always(path, Trouble(status=401))
        with pytest.raises(SourceError) as raised:
            await read(source)
    assert str(raised.value) == "TMDB refuses the key: check SCENEMESH_TMDB_KEY, then resume the sync."
    assert fake.paths().count(path) == 1


async def test_the_fake_refuses_another_key() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake, key="another") as source:
        with pytest.raises(SourceError, match="TMDB refuses the key"):
            await read(source)


@pytest.mark.parametrize(("key", "sent"), [(f" {KEY}\n", "query"), (f"eyJhbGci.eyJhdWQi.{KEY}", "token")])
async def test_both_kinds_of_keys_are_known_and_neither_is_told(
    caplog: pytest.LogCaptureFixture, key: str, sent: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        async with fake_tmdb(FILMS) as fake, source_of(fake, key=key) as source:
            fake.always("movie/5", Trouble(cut=True))
            batches = await read(source)
    assert len(titles(batches)) == 9
    assert {("api_key" in one.query, "authorization" in one.headers) for one in fake.asked} == {
        (sent == "query", sent == "token")
    }
    assert all("api_key" not in one.query and "authorization" not in one.headers for one in fake.exports.asked)
    assert "HTTP Request: GET" in caplog.text
    assert KEY not in caplog.text + str(batches)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"title": None}, "title: Input should be a valid string"),
        ({"popularity": "81.2"}, "popularity: Input should be a valid number"),
        ({"credits": {"cast": None}}, "credits.cast: Input should be a valid list"),
        ({"credits": "none"}, "credits: Input should be a valid dictionary or instance of Credits"),
    ],
)
async def test_a_title_of_another_shape_is_passed_over(changed: dict[str, Any], problem: str) -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.trouble("movie/5", Trouble(body=json.dumps({**FILMS[4], **changed}).encode()))
        batches = await read(source)
    assert names(batches) == [name for name in ALL if name != "Film 5"]
    assert faults(batches) == [("movie/5", f"has another shape than expected ({problem})")]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"gone"', b"{}", b"17"])
async def test_a_list_of_another_shape_ends_the_run(body: bytes) -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.always("movie/popular", Trouble(body=body))
        with pytest.raises(SourceError, match="TMDB's answer to movie/popular has another shape than expected"):
            await read(source)


async def test_a_title_that_is_gone_since_it_was_listed_is_removed() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.always("movie/5", Trouble(status=404, body=b'{"status_code": 34}'))
        batches = await read(source)
    assert batches[0].removed == ("tmdb-movie-5",)
    assert faults(batches) == []


async def test_what_is_no_tmdb_is_told() -> None:
    async with fake_tmdb() as fake, source_of(fake) as source:
        fake.always("movie/popular", Trouble(status=404))
        with pytest.raises(SourceError) as raised:
            await read(source)
    assert (
        str(raised.value) == "TMDB has no movie/popular: look whether SCENEMESH_TMDB_URL is that of its API, version 3."
    )


async def test_what_of_a_title_cannot_be_used_is_told() -> None:
    odd = [film(1, "Odd", cast=[("A", "???"), ("B", "Neo")], adult=True)]
    async with fake_tmdb(odd, [series(2, "!")]) as fake, source_of(fake) as source:
        batches = await read(source)
    assert [(title.name, title.adult, len(title.characters)) for title in titles(batches)] == [("Odd", True, 1)]
    assert faults(batches) == [
        ("movie/1", "the character “???” has a name without letters and digits"),
        ("tv/2", "has a name without letters and digits"),
    ]
