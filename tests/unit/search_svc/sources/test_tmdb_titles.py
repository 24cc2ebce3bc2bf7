from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies
from pydantic import ValidationError

from services.search_svc.domain.entries import ACTORS_MAX, CHARACTERS_MAX, Actor, Character, Kind, Title
from services.search_svc.sources.shape import misshapen
from services.search_svc.sources.tmdb.medium import Medium
from services.search_svc.sources.tmdb.shapes import Details
from services.search_svc.sources.tmdb.titles import title


def member(number: int, name: str | None, character: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "character": character,
        "credit_id": f"{number:024x}",
        "order": number,
        **fields,
    }


def film(cast: Any = (), **fields: Any) -> dict[str, Any]:
    return {"title": "The Matrix", "popularity": 3000.0, "credits": {"cast": list(cast)}, **fields}


def made(answer: dict[str, Any], medium: Medium = Medium.MOVIE) -> Title:
    """The title of an answer of which everything can be used."""
    found, faults = title(medium, 603, Details.model_validate(answer))
    assert found is not None
    assert faults == []
    return found


def names(answer: dict[str, Any]) -> list[str]:
    return [character.name for character in made(answer).characters]


def test_a_film_is_a_title_with_its_characters() -> None:
    answer = film(
        cast=[
            member(6384, "Keanu Reeves", "Thomas A. Anderson / Neo", order=0),
            member(2975, "Laurence Fishburne", "Morpheus", order=1),
        ],
        original_title="The Matrix",
        original_language="en",
        release_date="1999-03-31",
        adult=False,
        genres=[{"id": 28, "name": "Action"}],
        overview="A hacker learns what is real.",
        alternative_titles={"titles": [{"iso_3166_1": "FR", "title": "Matrix", "type": None}, {"title": "The matrix"}]},
        budget=63_000_000,
    )
    assert made(answer) == Title(
        id="tmdb-movie-603",
        name="The Matrix",
        kind=Kind.FILM,
        year=1999,
        aliases=("Matrix",),
        popularity=100.0,
        characters=(
            Character(
                id=f"tmdb-{6384:024x}",
                name="Thomas A. Anderson",
                aliases=("Neo",),
                persona="",
                popularity=100.0,
                actors=(Actor("tmdb-person-6384", "Keanu Reeves"),),
            ),
            Character(
                id=f"tmdb-{2975:024x}",
                name="Morpheus",
                aliases=(),
                persona="",
                popularity=97.0,
                actors=(Actor("tmdb-person-2975", "Laurence Fishburne"),),
            ),
        ),
        adult=False,
        overview="A hacker learns what is real.",
    )


def test_a_series_has_roles_for_everybody_in_it() -> None:
    roles = [
        {"credit_id": "5256c8b219c2956ff6047cd8", "character": "Clark Kent", "episode_count": 216},
        {"credit_id": "5256C8B219C2956FF6047CD9", "character": "Bizarro", "episode_count": 2},
    ]
    answer = {
        "name": "Smallville",
        "original_name": "Smallville",
        "first_air_date": "2001-10-16",
        "popularity": 3000,
        "aggregate_credits": {"cast": [{"id": 1, "name": "Tom Welling", "roles": roles, "order": 0}]},
        "alternative_titles": {"results": [{"title": "Superman: Tajemnice"}]},
    }
    actors = (Actor("tmdb-person-1", "Tom Welling"),)
    assert made(answer, Medium.TV) == Title(
        id="tmdb-tv-603",
        name="Smallville",
        kind=Kind.SERIES,
        year=2001,
        aliases=("Superman: Tajemnice",),
        popularity=100.0,
        characters=(
            Character("tmdb-5256c8b219c2956ff6047cd8", "Clark Kent", (), "", 100.0, actors),
            Character("tmdb-5256c8b219c2956ff6047cd9", "Bizarro", (), "", 97.0, actors),
        ),
    )


def test_a_character_of_several_actors_is_one_with_the_id_of_its_oldest_credit() -> None:
    answer = film(
        [
            member(30, "Ian Holm", "Bilbo Baggins", order=0),
            member(20, "Martin Freeman", "Young Bilbo / Bilbo", order=1),
            member(10, "Oscar Strik", "BILBO BAGGINS", order=2),
        ]
    )
    assert [(one.id, one.name, [actor.name for actor in one.actors]) for one in made(answer).characters] == [
        (f"tmdb-{10:024x}", "Bilbo Baggins", ["Ian Holm", "Oscar Strik"]),
        (f"tmdb-{20:024x}", "Young Bilbo", ["Martin Freeman"]),
    ]


def test_a_cast_is_in_its_billing_order_and_who_has_none_comes_last() -> None:
    cast = [member(1, "A", "Last", order=None), member(2, "B", "Second", order=7), member(3, "C", "First", order=0)]
    assert names(film(cast)) == ["First", "Second", "Last"]


def test_who_is_nobody_is_no_character() -> None:
    assert (
        names(film([member(1, "A", "Self"), member(2, "B", None), member(3, "C", "Additional Voices (voice)")])) == []
    )


def test_a_character_may_have_no_actor_with_a_name() -> None:
    assert [one.actors for one in made(film([member(1, None, "Trinity")])).characters] == [()]


def test_there_are_no_more_characters_and_actors_than_the_limits() -> None:
    cast = [member(number, "A", f"Somebody {number}") for number in range(1, CHARACTERS_MAX + 5)]
    assert names(film(cast)) == [f"Somebody {number}" for number in range(1, CHARACTERS_MAX + 1)]
    one = [member(number, f"Actor {number}", "Trinity") for number in range(1, ACTORS_MAX + 5)]
    assert [len(character.actors) for character in made(film(one)).characters] == [ACTORS_MAX]


@pytest.mark.parametrize(
    ("genres", "language", "medium", "kind"),
    [
        ([28], "en", Medium.MOVIE, Kind.FILM),
        ([18], "ja", Medium.TV, Kind.SERIES),
        ([16, 35], "en", Medium.MOVIE, Kind.CARTOON),
        ([16], None, Medium.TV, Kind.CARTOON),
        ([14, 16], "ja", Medium.MOVIE, Kind.ANIME),
        ([16], "ja", Medium.TV, Kind.ANIME),
    ],
)
def test_what_is_animated_is_an_anime_or_a_cartoon(
    genres: list[int], language: str | None, medium: Medium, kind: Kind
) -> None:
    answer = film(genres=[{"id": one, "name": "?"} for one in genres], original_language=language)
    assert made(answer, medium).kind == kind


@pytest.mark.parametrize(("day", "year"), [("1999-03-31", 1999), ("2026", 2026), ("", 0), (None, 0), ("soon", 0)])
def test_a_year_may_be_unknown(day: str | None, year: int) -> None:
    assert made(film(release_date=day)).year == year


def test_a_title_for_adults_stays_one() -> None:
    assert made(film(adult=True)).adult


def test_a_title_without_letters_is_none() -> None:
    found = title(Medium.MOVIE, 603, Details.model_validate(film(title="…")))
    assert found == (None, ["has a name without letters and digits"])


def test_characters_that_cannot_be_used_are_told() -> None:
    cast = [
        member(1, "A", "???"),
        member(2, "B", "M" * 301),
        member(3, "C", "Trinity", credit_id=None),
        member(4, "D", "Neo", credit_id="../4"),
        member(5, "E", "Morpheus"),
    ]
    found, faults = title(Medium.MOVIE, 603, Details.model_validate(film(cast)))
    assert found is not None
    assert [one.name for one in found.characters] == ["Morpheus"]
    assert faults == [
        "the character “???” has a name without letters and digits",
        f"the character “{'M' * 50}” has a name of more than 300 characters",
        "the character “Trinity” has a credit without an id",
        "the character “Neo” has a credit without an id",
    ]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"credits": {"cast": [{"id": -1}]}}, "credits.cast.0.id: Input should be greater than 0"),
        ({"title": None}, "title: Input should be a valid string"),
        ({"popularity": "3.5"}, "popularity: Input should be a valid number"),
        ({"popularity": float("nan")}, "popularity: Input should be a finite number"),
        ({"credits": None}, "credits: Input should be a valid dictionary or instance of Credits"),
        ({"credits": {"cast": None}}, "credits.cast: Input should be a valid list"),
        ({"credits": {"cast": [{"name": "A"}]}}, "credits.cast.0.id: Field required"),
        ({"genres": "Action"}, "genres: Input should be a valid list"),
    ],
)
def test_another_shape_is_told(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Details.model_validate({**film(), **changed})
    assert misshapen(raised.value).removesuffix(")").partition(" (")[2].startswith(problem)


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(),
    lambda inner: strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [
    "title",
    "popularity",
    "credits",
    "genres",
    "overview",
    "release_date",
    "original_title",
    "alternative_titles",
]


@given(strategies.sampled_from(FIELDS), JSON)
def test_any_field_may_hold_anything(field: str, value: Any) -> None:
    with suppress(ValidationError):
        title(Medium.MOVIE, 603, Details.model_validate({**film(), field: value}))


@given(strategies.sampled_from(["id", "name", "character", "credit_id", "order", "roles"]), JSON)
def test_any_field_of_a_cast_may_hold_anything(field: str, value: Any) -> None:
    with suppress(ValidationError):
        title(Medium.TV, 603, Details.model_validate(film([{**member(1, "A", "Trinity"), field: value}])))


def test_what_is_no_object_is_told() -> None:
    with pytest.raises(ValidationError) as raised:
        Details.model_validate(None)
    assert misshapen(raised.value).startswith("has another shape than expected (all of it: Input should be")


def test_of_many_problems_the_first_are_told() -> None:
    with pytest.raises(ValidationError) as raised:
        Details.model_validate({"status_code": 34, "genres": 1, "adult": 7})
    assert misshapen(raised.value) == (
        "has another shape than expected (title: Field required; adult: Input should be a valid boolean; "
        "genres: Input should be a valid list)"
    )
