from typing import Any

import pytest

from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.sources.jikan.shapes import Anime, Characters
from services.search_svc.sources.jikan.titles import title


def anime(**fields: Any) -> dict[str, Any]:
    return {"mal_id": 5114, "title": "Hagane no Renkinjutsushi", "members": 4_000_000, **fields}


def appearance(number: int, name: str, **fields: Any) -> dict[str, Any]:
    return {"character": {"mal_id": number, "name": name}, "role": "Main", "favorites": 0, **fields}


def voice(number: int, name: str, language: str) -> dict[str, Any]:
    return {"person": {"mal_id": number, "name": name}, "language": language}


def made(answer: dict[str, Any], *cast: dict[str, Any]) -> Title:
    """The title of an answer of which everything can be used."""
    found, faults = title(Anime.model_validate(answer), Characters.model_validate({"data": list(cast)}).data)
    assert found is not None
    assert faults == []
    return found


def test_an_anime_is_a_title_with_its_characters() -> None:
    answer = anime(
        titles=[
            {"type": "Default", "title": "Hagane no Renkinjutsushi"},
            {"type": "Synonym", "title": "FMA"},
            {"type": "Japanese", "title": "鋼の錬金術師"},
            {"type": "English", "title": "Fullmetal Alchemist"},
        ],
        title_english="Fullmetal Alchemist",
        title_japanese="鋼の錬金術師",
        title_synonyms=["FMA", "Hagaren"],
        rating="R - 17+ (violence & profanity)",
        year=2003,
        synopsis="Two brothers pay a price.",
        genres=[{"mal_id": 1, "name": "Action"}],
    )
    edward = appearance(
        11,
        "Elric, Edward",
        favorites=9,
        voice_actors=[voice(1, "Mignogna, Vic", "English"), voice(2, "Park, Romi", "Japanese")],
    )
    assert made(answer, edward) == Title(
        id="mal-anime-5114",
        name="Fullmetal Alchemist",
        kind=Kind.ANIME,
        year=2003,
        aliases=("Hagane no Renkinjutsushi", "鋼の錬金術師", "FMA", "Hagaren"),
        popularity=100.0,
        characters=(
            Character(
                id="mal-character-11",
                name="Edward Elric",
                aliases=("Elric Edward",),
                persona="",
                popularity=100.0,
                actors=(Actor("mal-person-2", "Romi Park"), Actor("mal-person-1", "Vic Mignogna")),
            ),
        ),
        adult=False,
        overview="Two brothers pay a price.",
    )


def test_the_default_title_is_the_name_when_there_is_no_english_one() -> None:
    assert made(anime()).name == "Hagane no Renkinjutsushi"
    assert made(anime(title_english="")).name == "Hagane no Renkinjutsushi"
    assert made(anime(titles=[{"type": "English", "title": "Fullmetal"}])).name == "Fullmetal"


def test_main_characters_come_first_then_those_that_people_like() -> None:
    cast = [
        appearance(1, "Mustang, Roy", role="Supporting", favorites=900),
        appearance(2, "Elric, Alphonse", favorites=5),
        appearance(3, "Elric, Edward", favorites=50),
        appearance(3, "Elric, Edward", favorites=1),
    ]
    assert [one.name for one in made(anime(), *cast).characters] == ["Edward Elric", "Alphonse Elric", "Roy Mustang"]


@pytest.mark.parametrize(
    ("told", "name", "aliases"),
    [
        ("Elric, Edward", "Edward Elric", ("Elric Edward",)),
        ("Scar", "Scar", ()),
        ("D. Luffy, Monkey", "Monkey D. Luffy", ("D. Luffy Monkey",)),
        ("A, B, C", "A, B, C", ()),
        ("Hohenheim,", "Hohenheim,", ()),
    ],
)
def test_a_first_name_comes_first(told: str, name: str, aliases: tuple[str, ...]) -> None:
    assert [(one.name, one.aliases) for one in made(anime(), appearance(1, told)).characters] == [(name, aliases)]


@pytest.mark.parametrize(
    ("fields", "year"),
    [
        ({"year": 2009, "aired": {"from": "2010-01-01T00:00:00+00:00"}}, 2009),
        ({"year": None, "aired": {"prop": {"from": {"day": 1, "month": 1, "year": 2001}}}}, 2001),
        ({"year": None, "aired": {"from": "1998-04-03T00:00:00+00:00", "prop": {"from": {"year": None}}}}, 1998),
        ({"year": None, "aired": {"from": None, "prop": {"from": {"year": None}}}}, 0),
        ({}, 0),
    ],
)
def test_a_year_is_where_it_is_told(fields: dict[str, Any], year: int) -> None:
    assert made(anime(**fields)).year == year


@pytest.mark.parametrize(
    ("fields", "adult"),
    [
        ({"rating": "Rx - Hentai"}, True),
        ({"genres": [{"name": "Hentai"}]}, True),
        ({"explicit_genres": [{"name": "Hentai"}]}, True),
        ({"rating": "R+ - Mild Nudity"}, False),
        ({"rating": None}, False),
    ],
)
def test_what_is_for_adults_is_told(fields: dict[str, Any], adult: bool) -> None:
    assert made(anime(**fields)).adult is adult


def test_names_without_letters_are_told() -> None:
    cast = Characters.model_validate({"data": [appearance(1, "???"), appearance(2, "Scar")]}).data
    found, faults = title(Anime.model_validate(anime()), cast)
    assert found is not None
    assert [one.name for one in found.characters] == ["Scar"]
    assert faults == ["the character “???” has a name without letters and digits"]
    assert title(Anime.model_validate(anime(title="!")), []) == (None, ["has a name without letters and digits"])
