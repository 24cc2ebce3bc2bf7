"""Everything from TMDB: the popular lists, the daily exports, and going on after an end."""

import gzip
from datetime import date
from typing import Any

import pytest

from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.domain.sync import Mode
from services.search_svc.sources import popularity
from services.search_svc.sources.source import Source, SourceError
from tests.service.search_svc.sources.fake_tmdb import fake_tmdb, film, series
from tests.service.search_svc.sources.fake_web import Trouble
from tests.service.search_svc.sources.reading import faults, read, read_in_pieces, source_of, steps, titles

MATRIX = film(603, "The Matrix", 80.0, [("Keanu Reeves", "Thomas Anderson / Neo"), ("Hugo Weaving", "Agent Smith")])
THRONES = series(1399, "Game of Thrones", 90.0, [("Peter Dinklage", "Tyrion Lannister")])


def films(count: int) -> list[dict[str, Any]]:
    """Films with the ids 1, 2, 3 …, the first the most popular."""
    return [
        film(number, f"Film {number}", 1000.0 - number, [("A", f"Hero {number}")]) for number in range(1, count + 1)
    ]


def ids(brought: list[Title]) -> list[str]:
    return [title.id for title in brought]


async def test_everything_is_the_popular_titles_and_the_popularity_of_all() -> None:
    async with fake_tmdb([MATRIX], [THRONES]) as fake, source_of(fake) as source:
        batches = await read(source)
    known = popularity.of_tmdb(80.0)
    assert titles(batches)[0] == Title(
        id="tmdb-movie-603",
        name="The Matrix",
        kind=Kind.FILM,
        year=1999,
        aliases=(),
        popularity=known,
        characters=(
            Character(
                "tmdb-0000000000000000025b0000",
                "Thomas Anderson",
                ("Neo",),
                "",
                known,
                (Actor("tmdb-person-60300", "Keanu Reeves"),),
            ),
            Character(
                "tmdb-0000000000000000025b0001",
                "Agent Smith",
                (),
                "",
                known * 0.97,
                (Actor("tmdb-person-60301", "Hugo Weaving"),),
            ),
        ),
        overview="What happens in The Matrix.",
    )
    assert ids(titles(batches)) == ["tmdb-movie-603", "tmdb-tv-1399"]
    assert [batch.popularity for batch in batches if batch.popularity] == [
        {"tmdb-movie-603": known},
        {"tmdb-tv-1399": popularity.of_tmdb(90.0)},
    ]
    assert steps(batches) == [
        ("popular films", 1, 1),
        ("popular series", 1, 1),
        ("popularity of films", 1, 1),
        ("popularity of series", 1, 1),
    ]
    assert faults(batches) == []


async def test_a_title_takes_one_request() -> None:
    async with fake_tmdb([MATRIX], [THRONES]) as fake, source_of(fake) as source:
        await read(source)
    asked = [(one.path, one.query.get("append_to_response", "")) for one in fake.asked]
    assert asked == [
        ("movie/popular", ""),
        ("movie/603", "credits,alternative_titles"),
        ("tv/popular", ""),
        ("tv/1399", "aggregate_credits,alternative_titles"),
    ]


async def test_pages_are_read_as_far_as_titles_are_wanted() -> None:
    async with fake_tmdb(films(65)) as fake, source_of(fake) as source:
        batches = await read(source, titles_max=45)
        assert ids(titles(batches)) == [f"tmdb-movie-{number}" for number in range(1, 46)]
        assert [step for step in steps(batches) if step[0] == "popular films"] == [
            ("popular films", 20, 45),
            ("popular films", 40, 45),
            ("popular films", 45, 45),
        ]
        assert fake.paths().count("movie/popular") == 3


async def test_a_list_ends_where_it_ends() -> None:
    async with fake_tmdb(films(25)) as fake, source_of(fake) as source:
        batches = await read(source, titles_max=1000)
        assert len(titles(batches)) == 25
        assert fake.paths().count("movie/popular") == 2


async def test_what_lists_do_not_show_comes_from_the_export() -> None:
    async with fake_tmdb(films(65)) as fake, source_of(fake, pages_max=2) as source:
        batches = await read(source, titles_max=50)
        assert ids(titles(batches)) == [f"tmdb-movie-{number}" for number in range(1, 51)]
        assert "movie/popular" not in fake.paths()
        assert [step for step in steps(batches) if "popularity" not in step[0]] == [
            ("films of the export of 2026-11-21", 40, 50),
            ("films of the export of 2026-11-21", 50, 50),
        ]


async def test_yesterdays_export_stands_in_for_todays() -> None:
    async with fake_tmdb(films(30)) as fake, source_of(fake, pages_max=1) as source:
        fake.exports.days = {date(2026, 11, 20)}
        batches = await read(source, titles_max=25)
        assert len(titles(batches)) == 25
        assert steps(batches)[0] == ("films of the export of 2026-11-20", 25, 25)
        assert fake.exports.paths()[:2] == ["movie_ids_11_21_2026.json.gz", "movie_ids_11_20_2026.json.gz"]


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(status=403),
        Trouble(status=500),
        Trouble(cut=True),
        Trouble(body=b"no gzip"),
        Trouble(body=b"\x1f\x8b\x08"),
    ],
    ids=str,
)
async def test_without_an_export_lists_are_read_and_it_is_told(trouble: Trouble) -> None:
    async with fake_tmdb(films(60)) as fake, source_of(fake, pages_max=2) as source:
        fake.exports.always("*", trouble)
        batches = await read(source, titles_max=50)
    assert ids(titles(batches)) == [f"tmdb-movie-{number}" for number in range(1, 41)]
    no_export = "TMDB has no daily export of the last days that is whole"
    assert faults(batches) == [
        ("exports/movie", f"{no_export}; titles beyond the list of popular ones are left out"),
        ("exports/movie", f"{no_export}; the popularity of titles stays as it was"),
        ("exports/tv", f"{no_export}; the popularity of titles stays as it was"),
    ]


async def test_a_line_of_an_export_that_is_none_is_left_out() -> None:
    lines = b'{"id": 7, "popularity": 3.5}\nnot json\n{"id": "8"}\n{"id": 9, "popularity": 1}\n'
    async with fake_tmdb() as fake, source_of(fake) as source:
        fake.exports.trouble("movie_ids_11_21_2026.json.gz", Trouble(body=gzip.compress(lines)))
        batches = await read(source)
    assert batches[0].popularity == {"tmdb-movie-7": popularity.of_tmdb(3.5), "tmdb-movie-9": popularity.of_tmdb(1)}
    assert steps(batches)[0] == ("popularity of films", 4, 4)


async def straight_and_in_pieces(source: Source, mode: Mode = Mode.FULL, **told: Any) -> None:
    """Compares a run with runs that end after every batch."""
    straight = await read(source, mode, **told)
    pieces = await read_in_pieces(source, mode, **told)
    assert titles(pieces) == titles(straight)
    assert [batch.removed for batch in pieces] == [batch.removed for batch in straight]
    assert [batch.popularity for batch in pieces] == [batch.popularity for batch in straight]
    assert steps(pieces) == steps(straight)
    assert len(straight) > 4


async def test_a_run_goes_on_after_any_batch() -> None:
    shows = [series(number, f"Series {number}", 500.0 - number) for number in range(1, 50)]
    async with fake_tmdb(films(65), shows) as fake, source_of(fake) as source:
        await straight_and_in_pieces(source, titles_max=45)


async def test_a_run_of_exports_goes_on_after_any_batch() -> None:
    many = [film(number, f"Film {number}", 1.0) for number in range(1000, 12_000)]
    async with fake_tmdb([*films(100), *many]) as fake, source_of(fake, pages_max=1) as source:
        await straight_and_in_pieces(source, titles_max=90)


async def test_a_run_goes_on_with_the_export_it_began_with() -> None:
    async with fake_tmdb(films(60)) as fake, source_of(fake, pages_max=1) as source:
        fake.exports.days = {date(2026, 11, 19)}
        first = await read(source, titles_max=50, batches_max=1)
        fake.exports.days = None
        rest = await read(source, Mode.FULL, first[0].cursor, titles_max=50)
    assert ids(titles(first + rest)) == [f"tmdb-movie-{number}" for number in range(1, 51)]
    assert steps(rest)[0] == ("films of the export of 2026-11-19", 50, 50)


async def test_a_run_that_lost_its_export_begins_another() -> None:
    async with fake_tmdb(films(60)) as fake, source_of(fake, pages_max=1) as source:
        fake.exports.days = {date(2026, 11, 19)}
        first = await read(source, titles_max=50, batches_max=1)
        fake.exports.days = {date(2026, 11, 21)}
        rest = await read(source, Mode.FULL, first[0].cursor, titles_max=50)
    assert ids(titles(rest)) == [f"tmdb-movie-{number}" for number in range(1, 51)]


async def test_a_finished_run_brings_nothing_more() -> None:
    async with fake_tmdb([MATRIX], [THRONES]) as fake, source_of(fake) as source:
        batches = await read(source)
        assert await read(source, Mode.FULL, batches[-1].cursor) == []


async def test_a_cursor_of_another_version_is_refused() -> None:
    async with fake_tmdb() as fake, source_of(fake) as source:
        with pytest.raises(SourceError, match="start another one"):
            await read(source, Mode.FULL, {"phase": "old"})
