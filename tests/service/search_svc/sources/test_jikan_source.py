import json

import pytest

from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.domain.sync import Mode
from services.search_svc.sources import popularity
from services.search_svc.sources.source import SourceError
from services.search_svc.sources.web import Unanswered
from tests.service.search_svc.sources.fake_jikan import anime, appearance, fake_jikan
from tests.service.search_svc.sources.fake_web import Trouble
from tests.service.search_svc.sources.reading import NOW, anime_of, faults, read, read_in_pieces, steps, titles

MANY = [anime(number, f"Anime {number}", 10_000 - number) for number in range(1, 61)]


def names(count: int) -> list[str]:
    return [f"Anime {number}" for number in range(1, count + 1)]


async def test_an_anime_is_brought_with_its_characters() -> None:
    async with (
        fake_jikan([anime(5114, "Hagane no Renkinjutsushi", english="Fullmetal")]) as fake,
        anime_of(fake) as source,
    ):
        fake.characters[5114] = [appearance(11, "Elric, Edward", voices=[(61, "Park, Romi", "Japanese")])]
        batches = await read(source)
    known = popularity.of_members(100_000)
    assert titles(batches) == [
        Title(
            id="mal-anime-5114",
            name="Fullmetal",
            kind=Kind.ANIME,
            year=2009,
            aliases=("Hagane no Renkinjutsushi",),
            popularity=known,
            characters=(
                Character(
                    id="mal-character-11",
                    name="Edward Elric",
                    aliases=("Elric Edward",),
                    persona="",
                    popularity=known,
                    actors=(Actor("mal-person-61", "Romi Park"),),
                ),
            ),
            overview="What happens in Hagane no Renkinjutsushi.",
        )
    ]
    assert steps(batches) == [("popular anime", 1, 1)]
    assert [(one.path, one.query) for one in fake.asked] == [
        ("top/anime", {"filter": "bypopularity", "page": "1"}),
        ("anime/5114/characters", {}),
    ]


async def test_pages_are_read_as_far_as_titles_are_wanted() -> None:
    async with fake_jikan(MANY) as fake, anime_of(fake) as source:
        batches = await read(source, titles_max=27)
    assert [title.name for title in titles(batches)] == names(27)
    assert [step[1:] for step in steps(batches)] == [(5, 27), (10, 27), (15, 27), (20, 27), (25, 27), (27, 27)]
    assert fake.paths().count("top/anime") == 2


async def test_a_list_ends_where_it_ends() -> None:
    async with fake_jikan(MANY) as fake, anime_of(fake) as source:
        batches = await read(source, titles_max=1000)
    assert [title.name for title in titles(batches)] == names(60)
    assert steps(batches)[-1] == ("popular anime", 60, 60)


async def test_a_run_goes_on_after_any_batch() -> None:
    async with fake_jikan(MANY) as fake, anime_of(fake) as source:
        straight = await read(source, titles_max=58)
        pieces = await read_in_pieces(source, titles_max=58)
    assert (titles(pieces), steps(pieces)) == (titles(straight), steps(straight))
    assert len(titles(straight)) == 58


async def test_changes_are_everything() -> None:
    async with fake_jikan(MANY[:5]) as fake, anime_of(fake) as source:
        batches = await read(source, Mode.CHANGES, since=NOW)
    assert [title.name for title in titles(batches)] == names(5)
    assert steps(batches) == [("everything, as Jikan does not tell changes: popular anime", 5, 5)]


async def test_what_has_no_story_is_left_out() -> None:
    listed = [anime(1, "A Song", type="Music"), anime(2, "An Advert", type="CM"), anime(3, "A Film", type="Movie")]
    async with fake_jikan(listed) as fake, anime_of(fake) as source:
        batches = await read(source)
    assert [title.name for title in titles(batches)] == ["A Film"]
    assert fake.paths() == ["top/anime", "anime/3/characters"]


async def test_an_anime_without_characters_is_a_title_all_the_same() -> None:
    async with fake_jikan(MANY[:1]) as fake, anime_of(fake) as source:
        fake.always("anime/1/characters", Trouble(status=404))
        batches = await read(source)
    assert [(title.name, title.characters) for title in titles(batches)] == [("Anime 1", ())]


@pytest.mark.parametrize(
    "trouble", [Trouble(status=429), Trouble(status=504), Trouble(cut=True), Trouble(body=b"<html>")], ids=str
)
async def test_trouble_that_passes_leaves_no_trace(trouble: Trouble) -> None:
    async with fake_jikan(MANY[:10]) as fake, anime_of(fake) as source:
        for path in ("top/anime", "anime/3/characters"):
            fake.trouble(path, trouble)
        batches = await read(source)
    assert [title.name for title in titles(batches)] == names(10)
    assert faults(batches) == []


async def test_an_anime_that_cannot_be_had_is_passed_over() -> None:
    async with fake_jikan(MANY[:10]) as fake, anime_of(fake) as source:
        fake.always("anime/3/characters", Trouble(status=500))
        fake.always("anime/4/characters", Trouble(body=b'{"data": null}'))
        batches = await read(source)
    assert [title.id for title in titles(batches)] == [f"mal-anime-{number}" for number in (1, 2, 5, 6, 7, 8, 9, 10)]
    why = "HTTP status 500, 3 times in a row. Resume the sync when it answers again."
    assert faults(batches) == [
        (
            "anime/3/characters",
            f"Jikan gave no usable answer to anime/3/characters: {why}",
        ),
        ("anime/4/characters", "has another shape than expected (data: Input should be a valid list)"),
    ]


async def test_when_several_anime_cannot_be_had_the_source_gives_up() -> None:
    async with fake_jikan(MANY) as fake, anime_of(fake) as source:
        brought = await read(source, batches_max=3)
        fake.always("*", Trouble(status=503))
        with pytest.raises(Unanswered):
            await read(source, cursor=brought[-1].cursor)
        fake.always("*", None)
        rest = await read(source, cursor=brought[-1].cursor)
    assert [title.name for title in titles(brought + rest)] == names(60)


async def test_an_entry_of_another_shape_is_passed_over() -> None:
    async with fake_jikan([*MANY[:2], anime(3, "Anime 3", title=None), anime(4, "Anime 4", 7)]) as fake:
        fake.listed.append({**anime(5, "Anime 5", 5), "titles": "Anime 5"})
        async with anime_of(fake) as source:
            batches = await read(source)
    assert [title.id for title in titles(batches)] == ["mal-anime-1", "mal-anime-2", "mal-anime-4"]
    assert faults(batches) == [
        ("top/anime", "an entry has another shape than expected (title: Input should be a valid string)"),
        ("top/anime", "an entry has another shape than expected (titles: Input should be a valid list)"),
    ]


@pytest.mark.parametrize("body", [[], {"data": []}, {"data": None, "pagination": {}}, None])
async def test_a_list_of_another_shape_ends_the_run(body: object) -> None:
    async with fake_jikan(MANY) as fake, anime_of(fake) as source:
        fake.always("top/anime", Trouble(body=json.dumps(body).encode()))
        with pytest.raises(SourceError, match="Jikan's answer to top/anime has another shape than expected"):
            await read(source)


async def test_a_cursor_of_another_version_is_refused() -> None:
    async with fake_jikan() as fake, anime_of(fake) as source:
        with pytest.raises(SourceError, match="start another one"):
            await read(source, cursor={"page": 0})
