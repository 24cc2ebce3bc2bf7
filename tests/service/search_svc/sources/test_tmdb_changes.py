"""What has changed at TMDB since the last time."""

from datetime import UTC, date, datetime

from services.search_svc.domain.sync import Mode
from services.search_svc.sources import popularity
from tests.service.search_svc.sources.fake_tmdb import KEY, fake_tmdb, film, series
from tests.service.search_svc.sources.reading import faults, read, read_in_pieces, source_of, steps, titles

YESTERDAY = datetime(2026, 11, 20, 9, tzinfo=UTC)
FILMS = [film(number, f"Film {number}", 100.0 - number) for number in range(1, 50)]


async def test_changed_titles_are_brought() -> None:
    async with fake_tmdb(FILMS, [series(7, "Series 7")]) as fake, source_of(fake) as source:
        fake.changed = {"movie": [3, 1], "tv": [7]}
        batches = await read(source, Mode.CHANGES, since=YESTERDAY)
    assert [title.id for title in titles(batches)] == ["tmdb-movie-3", "tmdb-movie-1", "tmdb-tv-7"]
    assert steps(batches) == [
        ("changed films", 2, 2),
        ("changed series", 1, 1),
        ("popularity of films", 49, 49),
        ("popularity of series", 1, 1),
    ]
    asked = [one.query for one in fake.asked if one.path == "movie/changes"]
    assert asked == [{"start_date": "2026-11-20", "end_date": "2026-11-21", "page": "1", "api_key": KEY}]


async def test_what_is_gone_is_removed() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.changed["movie"] = [1, 404, 2]
        batches = await read(source, Mode.CHANGES, since=YESTERDAY)
    assert [title.id for title in titles(batches)] == ["tmdb-movie-1", "tmdb-movie-2"]
    assert [batch.removed for batch in batches] == [("tmdb-movie-404",), ()]
    assert faults(batches) == []


async def test_of_a_title_that_everything_would_not_bring_only_the_popularity_is() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.changed["movie"] = [24, 25, 26]
        batches = await read(source, Mode.CHANGES, titles_max=25, since=YESTERDAY)
    assert [title.id for title in titles(batches)] == ["tmdb-movie-24", "tmdb-movie-25"]
    assert batches[0].popularity == {"tmdb-movie-26": popularity.of_tmdb(74.0)}
    pages = [one.query["page"] for one in fake.asked if one.path == "movie/popular"]
    assert pages == ["2"]


async def test_what_lists_do_not_show_is_measured_by_the_export() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake, pages_max=1) as source:
        fake.changed["movie"] = [30, 31]
        batches = await read(source, Mode.CHANGES, titles_max=30, since=YESTERDAY)
        assert [title.id for title in titles(batches)] == ["tmdb-movie-30"]
        fake.exports.days = set()
        batches = await read(source, Mode.CHANGES, titles_max=30, since=YESTERDAY)
        assert titles(batches) == []
        assert "movie/popular" in fake.paths()


async def test_changes_of_many_pages_go_on_after_any_batch() -> None:
    many = [film(number, f"Film {number}", 100.0 + number) for number in range(1, 251)]
    async with fake_tmdb(many) as fake, source_of(fake) as source:
        fake.changed["movie"] = [*range(1, 251), 9001, 9002]
        straight = await read(source, Mode.CHANGES, since=YESTERDAY, titles_max=1000)
        pieces = await read_in_pieces(source, Mode.CHANGES, since=YESTERDAY, titles_max=1000)
    assert [title.id for title in titles(straight)] == [f"tmdb-movie-{number}" for number in range(1, 251)]
    assert titles(pieces) == titles(straight)
    assert steps(pieces) == steps(straight)
    assert [step[1:] for step in steps(straight)][:8] == [
        (40, 252),
        (80, 252),
        (100, 252),
        (140, 252),
        (180, 252),
        (200, 252),
        (240, 252),
        (252, 252),
    ]
    assert [batch.removed for batch in pieces if batch.removed] == [("tmdb-movie-9001", "tmdb-movie-9002")]


async def test_no_changes_bring_no_titles() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        batches = await read(source, Mode.CHANGES, since=YESTERDAY)
    assert titles(batches) == []
    assert steps(batches) == [("popularity of films", 49, 49)]


async def test_after_more_than_fourteen_days_everything_is_brought() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        batches = await read(source, Mode.CHANGES, since=datetime(2026, 11, 6, tzinfo=UTC))
        first = await read(source, Mode.CHANGES, since=datetime(2026, 11, 6, tzinfo=UTC), batches_max=1)
        rest = await read(source, Mode.CHANGES, first[-1].cursor, since=datetime(2026, 11, 6, tzinfo=UTC))
    assert len(titles(batches)) == 49
    assert steps(batches)[0] == ("everything, as the last sync is too long ago for changes: popular films", 20, 49)
    assert steps(first + rest) == steps(batches)
    assert "movie/changes" not in fake.paths()


async def test_a_changed_popularity_counts_where_no_day_of_exports_is_there() -> None:
    async with fake_tmdb(FILMS) as fake, source_of(fake) as source:
        fake.changed["movie"] = [49]
        fake.exports.days = {date(2025, 1, 1)}
        batches = await read(source, Mode.CHANGES, titles_max=10, since=YESTERDAY)
    assert batches[0].popularity == {"tmdb-movie-49": popularity.of_tmdb(51.0)}
    assert [place for place, _ in faults(batches)] == ["exports/movie", "exports/tv"]
