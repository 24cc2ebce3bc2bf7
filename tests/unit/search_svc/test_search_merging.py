from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.search_svc.domain.entries import ALIASES_MAX, CHARACTERS_MAX, Actor, Character, Kind, Title
from services.search_svc.domain.merging import Sourced, match_key, merged
from services.search_svc.terms import normal

KEANU = Actor("tmdb-person-6384", "Keanu Reeves")
NEO = Character("neo", "Neo", ("Thomas Anderson",), "A programmer who asks what is real.", 90)
MATRIX = Title("the-matrix", "The Matrix", Kind.FILM, 1999, ("Matrix",), 80, (NEO,))
TMDB_NEO = Character("tmdb-1", "NEO", ("The One",), "", 60, (KEANU,))
TANK = Character("tmdb-2", "Tank", (), "", 40)
TMDB_MATRIX = Title(
    "tmdb-movie-603", "The Matrix", Kind.FILM, 1999, ("matrix", "Matriks"), 92, (TMDB_NEO, TANK), overview="A hacker."
)


def film(title_id: str, *, kind: Kind = Kind.FILM, popularity: float = 50, **more: object) -> Title:
    return replace(Title(title_id, "Home", kind, 2020, (), popularity), **more)  # type: ignore[arg-type]


def together(*sourced: tuple[str, int, Title]) -> list[Title]:
    return list(merged(Sourced(title, source, precedence) for source, precedence, title in sourced))


def test_the_source_that_is_believed_keeps_its_fields_and_learns_what_the_other_knows_more() -> None:
    assert together(("tmdb", 5, TMDB_MATRIX), (".toml", 0, MATRIX)) == [
        replace(
            MATRIX,
            aliases=("Matrix", "Matriks"),
            popularity=92,
            characters=(replace(NEO, aliases=("Thomas Anderson", "The One"), actors=(KEANU,)), TANK),
            overview="A hacker.",
        )
    ]


def test_a_character_known_by_an_alias_is_the_same_one() -> None:
    anderson = Character("tmdb-1", "Thomas Anderson", ("Mr. Anderson",), "", 60, (KEANU,))
    (title,) = together((".toml", 0, MATRIX), ("tmdb", 5, replace(TMDB_MATRIX, characters=(anderson,))))
    assert title.characters == (replace(NEO, aliases=("Thomas Anderson", "Mr. Anderson"), actors=(KEANU,)),)


def test_actors_are_taken_over_only_where_there_are_none() -> None:
    carrie = Actor("x", "Carrie-Anne Moss")
    (title,) = together(
        (".toml", 0, replace(MATRIX, characters=(replace(NEO, actors=(carrie,)),))), ("tmdb", 5, TMDB_MATRIX)
    )
    assert title.characters[0].actors == (carrie,)


def test_a_name_that_stands_twice_in_one_cast_is_one_character_with_both_actors() -> None:
    young, old = Actor("young", "Michael Conner Humphreys"), Actor("old", "Tom Hanks")
    cast = (
        Character("a", "Forrest Gump", ("Forrest",), "", 70, (old,)),
        Character("b", "FORREST GUMP", ("Young Forrest",), "", 80, (young, old)),
    )
    (title,) = together(("tmdb", 5, film("gump", characters=cast)))
    gump = Character("a", "Forrest Gump", ("Forrest", "Young Forrest"), "", 80, (old, young))
    assert title == film("gump", characters=(gump,))


def test_titles_of_one_source_are_never_the_same() -> None:
    remake, other = film("a", popularity=40), film("b", popularity=60)
    shipped = film("home", popularity=30)
    found = together(("tmdb", 5, remake), ("tmdb", 5, other), (".toml", 0, shipped))
    assert found == [replace(shipped, popularity=60), remake]


def test_a_film_is_no_series_and_an_anime_may_be_either() -> None:
    series, anime = film("series", kind=Kind.SERIES), film("anime", kind=Kind.ANIME)
    assert together((".toml", 0, film("film")), ("tmdb", 5, series)) == [film("film"), series]
    assert together((".toml", 0, film("film")), ("jikan", 6, anime)) == [film("film")]
    assert together((".toml", 0, anime), ("tmdb", 5, film("film")), ("tmdb", 5, series)) == [anime, series]


def test_what_one_source_calls_adult_is_adult() -> None:
    assert together(("file:mine", 2, film("a")), ("tmdb", 5, film("b", adult=True))) == [film("a", adult=True)]


def test_what_is_united_stays_within_the_limits() -> None:
    aliases = [f"Alias {number}" for number in range(2 * ALIASES_MAX)]
    first = film("a", aliases=tuple(aliases[:ALIASES_MAX]), characters=tuple(cast("a", 300, 50)))
    other = film("b", aliases=tuple(aliases[ALIASES_MAX:]), characters=tuple(cast("b", 300, 10)))
    (title,) = together((".toml", 0, first), ("tmdb", 5, other))
    assert title.aliases == first.aliases
    assert len(title.characters) == CHARACTERS_MAX
    assert {one.id for one in first.characters} <= {one.id for one in title.characters}


def cast(prefix: str, count: int, popularity: float) -> list[Character]:
    return [Character(f"{prefix}-{number}", f"{prefix} {number}", (), "", popularity) for number in range(count)]


def test_titles_match_by_name_and_year_and_without_either_are_like_no_other() -> None:
    assert match_key(film("a", name="HOME!")) == match_key(film("b", kind=Kind.SERIES)) == "home|2020"
    assert match_key(film("a", year=0)) == "a"
    assert match_key(film("a", name="???")) == "a"


def test_a_hundred_thousand_namesakes_are_no_trouble() -> None:
    found = together(*(("file:mine", 10, film(str(number))) for number in range(100_000)))
    assert len(found) == 100_000


names = st.text("ab -é", min_size=1, max_size=4)
characters = st.lists(st.tuples(names, st.lists(names, max_size=2)), max_size=4)
sources = st.sampled_from([(".toml", 0), ("tmdb", 5), ("jikan", 6), ("file:mine", 5)])
kinds = st.sampled_from([Kind.FILM, Kind.SERIES, Kind.ANIME, Kind.CARTOON])


@given(st.lists(st.tuples(sources, kinds, st.integers(1, 100), characters), max_size=8), st.randoms())
def test_nothing_is_lost_nothing_stands_twice_and_the_order_does_not_matter(
    drawn: list[tuple[tuple[str, int], Kind, int, list[tuple[str, list[str]]]]], random: Random
) -> None:
    sourced = [
        Sourced(
            film(
                f"title-{number}",
                kind=kind,
                popularity=popularity,
                characters=tuple(
                    Character(f"character-{number}-{place}", name, tuple(aliases), "", popularity)
                    for place, (name, aliases) in enumerate(people)
                ),
            ),
            source,
            precedence,
        )
        for number, ((source, precedence), kind, popularity, people) in enumerate(drawn)
    ]
    found = list(merged(sourced))
    assert found == list(merged(random.sample(sourced, len(sourced))))
    ids = [title.id for title in found]
    assert len(ids) == len(set(ids))
    assert max((title.popularity for title in found), default=0) == max((one[2] for one in drawn), default=0)
    for title in found:
        called = [normal(one.name) or one.id for one in title.characters]
        assert len(called) == len(set(called))
    told = {normal(name) for title in found for one in title.characters for name in (one.name, *one.aliases)}
    assert {normal(name) for one in drawn for name, _ in one[3]} <= told | {""}
