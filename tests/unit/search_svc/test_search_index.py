from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search_svc import catalogue
from services.search_svc.catalogue import SHIPPED
from services.search_svc.domain import Catalogue, Character, Kind, Title
from services.search_svc.index import KEYS_UNRANKED_MAX, SUGGESTIONS_MAX, Index

SHIPPED_TITLES = [title for source in catalogue.load(SHIPPED) for title in source.titles]
SHIPPED_NAMES = [
    *((title.id, title.name) for title in SHIPPED_TITLES),
    *((one.id, one.name) for title in SHIPPED_TITLES for one in title.characters),
]
SHIPPED_INDEX = Index(Catalogue(SHIPPED_TITLES))

# Names made of few letters collide often, and that is where ranking is decided.
names = st.text("ab -'é進", min_size=1, max_size=8).filter(lambda name: any(letter.isalnum() for letter in name))
kinds = st.sampled_from([Kind.FILM, Kind.SERIES, Kind.ANIME])
catalogues = st.lists(
    st.tuples(names, kinds, st.lists(names, max_size=2), st.integers(1, 100), st.lists(names, max_size=2)), max_size=12
)


def title(
    name: str, popularity: int = 50, aliases: Sequence[str] = (), kind: Kind = Kind.FILM, characters: Sequence[str] = ()
) -> Title:
    slug = name.lower().replace(" ", "-")
    people = tuple(
        Character(f"{slug}-{number}", one, (), "Somebody who waits.", 50) for number, one in enumerate(characters)
    )
    return Title(slug, name, kind, 2000, tuple(aliases), popularity, people)


def found(titles: Sequence[Title], query: str, *only: Kind) -> list[str]:
    return [one.document.entry.name for one in Index(Catalogue(titles)).suggest(query, only)]


def drawn(entries: list[tuple[str, Kind, list[str], int, list[str]]]) -> list[Title]:
    return [
        Title(
            f"title-{number}",
            name,
            kind,
            2000,
            tuple(aliases),
            popularity,
            tuple(Character(f"character-{number}-{i}", one, (), "Somebody.", 50) for i, one in enumerate(characters)),
        )
        for number, (name, kind, aliases, popularity, characters) in enumerate(entries)
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dark kn", "The Dark Knight"),
        ("dark knight", "The Dark Knight"),
        ("THE DÁRK", "The Dark Knight"),
        ("knight the", "The Dark Knight"),
        ("a dark knight", "The Dark Knight"),
        ("spiderman", "Spider-Man"),
        ("spider man", "Spider-Man"),
        ("spider-m", "Spider-Man"),
        ("starwa", "Star Wars"),
        ("schindler's", "Schindler\u2019s List"),
        ("schindlers li", "Schindler\u2019s List"),
        ("fast and f", "Fast & Furious"),
        ("巨人", "進撃の巨人"),
    ],
)
def test_a_name_is_found_as_people_type_it(query: str, expected: str) -> None:
    titles = [title(name) for name in ("The Dark Knight", "Spider-Man", "Star Wars", "Fast & Furious", "進撃の巨人")]
    assert found([*titles, title("Schindler\u2019s List")], query) == [expected]


@pytest.mark.parametrize("query", ["ark", "dork", "dark x", "!!!", "  ", "…", "the xyz"])
def test_what_matches_no_word_finds_nothing(query: str) -> None:
    assert found([title("The Dark Knight")], query) == []


def test_matches_rank_by_how_well_they_match_and_then_by_popularity() -> None:
    titles = [
        title("Up There", 1),
        title("Up", 2),
        title("The Up", 3),
        title("Alias", 4, ["Up"]),
        title("Up Here", 5),
        title("Prefixed alias", 6, ["Up and away"]),
        title("Straight Up", 7),
        title("Later alias", 8, ["Going up"]),
        title("Upper", 5),
    ]
    assert found(titles, "up") == [
        "The Up",
        "Up",
        "Alias",
        "Up Here",
        "Upper",
        "Up There",
        "Prefixed alias",
        "Straight Up",
        "Later alias",
    ]


def test_words_in_their_order_rank_above_words_in_any_order() -> None:
    titles = [title("Rings of the Lord", 90), title("The Lord of the Rings", 10), title("Lord Rings", 1)]
    assert found(titles, "lord rings") == ["Lord Rings", "Rings of the Lord", "The Lord of the Rings"]


def test_the_alias_that_matched_is_told_only_when_the_name_did_not() -> None:
    index = Index(Catalogue([title("Attack on Titan", aliases=["AoT", "Shingeki no Kyojin"])]))
    told = {query: [one.alias for one in index.suggest(query)] for query in ("att", "aot", "kyo", "no shingeki")}
    assert told == {"att": [""], "aot": ["AoT"], "kyo": ["Shingeki no Kyojin"], "no shingeki": ["Shingeki no Kyojin"]}


def test_only_the_wanted_kinds_are_suggested() -> None:
    titles = [title("Akira", kind=Kind.ANIME), title("Akira Film", characters=["Akira Kurosawa"])]
    assert found(titles, "aki", Kind.CHARACTER) == ["Akira Kurosawa"]
    assert found(titles, "aki", Kind.ANIME, Kind.FILM) == ["Akira", "Akira Film"]
    assert found(titles, "aki") == ["Akira", "Akira Film", "Akira Kurosawa"]


def test_a_prefix_ranked_beforehand_answers_as_one_ranked_when_asked() -> None:
    titles = [title(f"Same {number}", number % 100 + 1, kind=list(Kind)[number % 3]) for number in range(400)]
    assert len(titles) > KEYS_UNRANKED_MAX
    best = sorted(titles, key=lambda one: (-one.popularity, one.name))
    assert found(titles, "s") == [one.name for one in best][:SUGGESTIONS_MAX]
    anime = [one.name for one in best if one.kind is Kind.ANIME]
    assert found(titles, "same", Kind.ANIME) == anime[:SUGGESTIONS_MAX]


@given(st.sampled_from(SHIPPED_NAMES))
def test_everything_shipped_is_found_by_its_full_name(entry: tuple[str, str]) -> None:
    entry_id, name = entry
    assert entry_id in {one.document.entry.id for one in SHIPPED_INDEX.suggest(name, limit=10)}


@given(
    st.one_of(st.text(max_size=200), st.sampled_from(SHIPPED_NAMES).map(lambda entry: entry[1][:4])), st.integers(1, 50)
)
def test_nothing_stands_twice_and_no_answer_is_longer_than_asked(query: str, limit: int) -> None:
    suggestions = SHIPPED_INDEX.suggest(query, limit=limit)
    ids = [(one.document.kind, one.document.entry.id) for one in suggestions]
    assert len(ids) == len(set(ids)) <= limit
    assert suggestions == SHIPPED_INDEX.suggest(query)[:limit]


@given(catalogues, names, st.randoms())
def test_the_order_of_the_catalogue_does_not_matter(
    entries: list[tuple[str, Kind, list[str], int, list[str]]], query: str, random: Random
) -> None:
    titles = drawn(entries)
    shuffled = random.sample(titles, len(titles))
    assert Index(Catalogue(titles)).suggest(query) == Index(Catalogue(shuffled)).suggest(query)


@given(catalogues)
def test_every_name_and_alias_finds_its_own(entries: list[tuple[str, Kind, list[str], int, list[str]]]) -> None:
    titles = drawn(entries)
    index = Index(Catalogue(titles))
    for one in titles:
        for name in (one.name, *one.aliases):
            assert one in [suggestion.document.entry for suggestion in index.suggest(name)]
