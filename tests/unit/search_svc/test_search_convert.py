from dataclasses import replace

import pytest

from runtime.errors import InvalidArgument, Violation
from scenemesh.search.v1 import search_pb2
from services.search_svc.convert import search as convert
from services.search_svc.domain.entries import Actor, Character, Kind, Title
from services.search_svc.domain.found import Filter, Hit, Match, Score

JACK = Character("jack-dawson", "Jack Dawson", ("Jack",), "", 61.2, (Actor("", "Leonardo DiCaprio"),))
TITANIC = Title(
    "titanic", "Titanic", Kind.FILM, 1997, ("Titanik",), 88.0, (JACK,), adult=False, overview="A ship sinks."
)


def test_a_title_is_told_with_its_characters() -> None:
    rose = Character("rose", "Rose", (), "", 70.0)
    assert convert.title_to_proto(replace(TITANIC, characters=(JACK, rose), adult=True)) == search_pb2.Title(
        name="titles/titanic",
        display_name="Titanic",
        kind=search_pb2.KIND_FILM,
        year=1997,
        aliases=["Titanik"],
        popularity=88,
        characters=["characters/rose", "characters/jack-dawson"],
        overview="A ship sinks.",
        adult=True,
    )


def test_a_character_is_told_with_who_played_it() -> None:
    assert convert.character_to_proto(replace(JACK, persona="Draws."), TITANIC) == search_pb2.Character(
        name="characters/jack-dawson",
        display_name="Jack Dawson",
        title="titles/titanic",
        title_display_name="Titanic",
        aliases=["Jack"],
        persona="Draws.",
        popularity=62,
        actors=["Leonardo DiCaprio"],
    )


def persona(character: Character, title: Title) -> str:
    return convert.character_to_proto(character, title).persona


def test_a_character_without_a_persona_has_a_sentence_of_what_is_known() -> None:
    actors = tuple(Actor("", name) for name in ("Ann", "Bob", "Cid", "Dee"))
    assert [
        persona(JACK, TITANIC),
        persona(replace(JACK, actors=()), TITANIC),
        persona(JACK, replace(TITANIC, year=0)),
        persona(replace(JACK, actors=()), replace(TITANIC, year=0, name="Airplane!")),
        persona(replace(JACK, actors=actors[:2]), replace(TITANIC, kind=Kind.ANIME)),
        persona(replace(JACK, actors=actors), replace(TITANIC, kind=Kind.CARTOON)),
        persona(replace(JACK, actors=(Actor("", "Sammy Davis Jr."),)), TITANIC),
    ] == [
        "Jack Dawson, a character of Titanic (1997), played by Leonardo DiCaprio.",
        "Jack Dawson, a character of Titanic (1997).",
        "Jack Dawson, a character of Titanic, played by Leonardo DiCaprio.",
        "Jack Dawson, a character of Airplane!",
        "Jack Dawson, a character of Titanic (1997), voiced by Ann and Bob.",
        "Jack Dawson, a character of Titanic (1997), voiced by Ann, Bob and Cid.",
        "Jack Dawson, a character of Titanic (1997), played by Sammy Davis Jr.",
    ]


def test_a_hit_is_told_with_what_matched() -> None:
    score = Score(Match.ACTOR, 20.0, 1, -8.0, -2.0, 24.5)
    hit = Hit("jack-dawson", "Jack Dawson", Kind.CHARACTER, "Titanic", 1997, 61.2, "", "Leonardo DiCaprio", score)
    told = search_pb2.Suggestion(
        name="characters/jack-dawson",
        display_name="Jack Dawson",
        kind=search_pb2.KIND_CHARACTER,
        title_display_name="Titanic",
        year=1997,
        popularity=62,
        matched_actor="Leonardo DiCaprio",
        segments=[
            search_pb2.Segment(text="Leonardo "),
            search_pb2.Segment(text="DiCa", matched=True),
            search_pb2.Segment(text="prio"),
        ],
    )
    assert convert.suggestions_to_proto([hit], "dica") == [told]
    told.score.CopyFrom(
        search_pb2.Score(
            total=34.5,
            match=search_pb2.MATCH_ACTOR,
            match_points=20,
            typos=1,
            typo_points=-8,
            missing_points=-2,
            popularity_points=24.5,
        )
    )
    assert convert.suggestions_to_proto([hit], "dica", explain=True) == [told]


def test_what_is_marked_is_the_alias_when_that_matched() -> None:
    hit = Hit("titanic", "Titanic", Kind.FILM, "", 1997, 88.0, alias="Titanik")
    (told,) = convert.suggestions_to_proto([hit], "titanik")
    assert (told.name, told.matched_alias) == ("titles/titanic", "Titanik")
    assert list(told.segments) == [search_pb2.Segment(text="Titanik", matched=True)]


def test_an_actor_has_a_name_of_its_own_kind_and_no_year() -> None:
    (told,) = convert.suggestions_to_proto([Hit("tmdb-person-6193", "Leo", Kind.ACTOR, "", 0, 100.0)])
    assert told == search_pb2.Suggestion(
        name="actors/tmdb-person-6193",
        display_name="Leo",
        kind=search_pb2.KIND_ACTOR,
        popularity=100,
        segments=[search_pb2.Segment(text="Leo")],
    )


def test_every_kind_and_every_match_has_its_number() -> None:
    assert sorted(convert.KINDS.values()) == sorted(set(search_pb2.Kind.values()) - {0})
    assert sorted(convert.MATCHES.values()) == sorted(set(search_pb2.Match.values()) - {0})
    assert (set(convert.KINDS), set(convert.MATCHES)) == (set(Kind), set(Match))


def test_kinds_beside_the_filter_are_wanted_too() -> None:
    sent = search_pb2.EntryFilter(
        kinds=[search_pb2.KIND_FILM, search_pb2.KIND_ACTOR], year_min=1990, year_max=1990, include_adult=True
    )
    kinds = [search_pb2.KIND_FILM, search_pb2.KIND_CARTOON]
    assert convert.filter_from_proto(sent, kinds) == Filter(
        frozenset({Kind.FILM, Kind.ACTOR, Kind.CARTOON}), 1990, 1990, include_adult=True
    )
    assert convert.filter_from_proto(search_pb2.EntryFilter(year_min=1990)) == Filter(year_min=1990)


def test_years_that_leave_nothing_are_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        convert.filter_from_proto(search_pb2.EntryFilter(year_min=2000, year_max=1999))
    assert refused.value.violations == (Violation("filter.year_max", "must not be before year_min, 2000"),)


def test_a_scope_is_of_one_query_and_one_filter() -> None:
    films = Filter(frozenset({Kind.FILM, Kind.ANIME}))
    scopes = {
        convert.scope("Search", "matrix", films),
        convert.scope("Search", "matrix", Filter()),
        convert.scope("Search", "matrix", Filter(year_min=1)),
        convert.scope("Search", "matrix", Filter(include_adult=True)),
        convert.scope("Search", "alien", films),
        convert.scope("ListPopular", "matrix", films),
    }
    assert len(scopes) == 6
    assert convert.scope("Search", "matrix", Filter(frozenset({Kind.ANIME, Kind.FILM}))) in scopes
    assert max(map(len, scopes)) == 32
