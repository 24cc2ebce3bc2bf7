from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import NotFound
from services.search_svc import catalogue
from services.search_svc.catalogue import SHIPPED
from services.search_svc.domain.entries import Kind, Title
from services.search_svc.domain.found import HITS_MAX, Filter, Match, Score
from services.search_svc.index.crowded import STARTS_MAX
from services.search_svc.terms import normal
from tests.unit.search_svc.index.made import index, names, title

SHIPPED_TITLES = [title for source in catalogue.load(SHIPPED) for title in source.titles]
SHIPPED_ENTRIES = [
    *((title.id, title.name, title.popularity) for title in SHIPPED_TITLES),
    *((one.id, one.name, one.popularity) for title in SHIPPED_TITLES for one in title.characters),
]
SHIPPED_INDEX = index(SHIPPED_TITLES)
POPULAR = [name for _, name, popularity in SHIPPED_ENTRIES if popularity >= 95]

# Names made of few letters collide often, and that is where ranking is decided.
few_letters = st.text("ab -'é進", min_size=1, max_size=8).filter(lambda name: any(letter.isalnum() for letter in name))
kinds = st.sampled_from([Kind.FILM, Kind.SERIES, Kind.ANIME, Kind.CARTOON])
drawn = st.lists(
    st.builds(
        title,
        few_letters,
        st.floats(1, 100),
        st.lists(few_letters, max_size=2),
        kinds,
        st.lists(few_letters, max_size=2),
        actors=st.lists(few_letters, max_size=1),
    ),
    max_size=12,
    unique_by=lambda one: one.id,
)

CLASSICS = [
    title("The Dark Knight", 97),
    title("Spider-Man", 90),
    title("Star Wars", 98),
    title("Fast & Furious", 70),
    title("進撃の巨人", 90),
    title("Schindler\u2019s List", 85),
    title("Amélie", 80),
    title("Spirited Away", 95, ["千と千尋の神隠し", "Sen to Chihiro no Kamikakushi"], Kind.ANIME),
    title("Ironclad", 30),
    title("Forrest Gump", 94, characters=["Jenny Curran"], actors=["Robin Wright"]),
    title("Брат", 60),
    title("آژانس شیشه‌ای", 40),
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("dark kn", "The Dark Knight"),
        ("THE DÁRK", "The Dark Knight"),
        ("knight the", "The Dark Knight"),
        ("a dark knight", "The Dark Knight"),
        ("thedarkknight", "The Dark Knight"),
        ("the drak knight", "The Dark Knight"),
        ("dark knigth", "The Dark Knight"),
        ("knight dork", "The Dark Knight"),
        ("the dark night rises", "The Dark Knight"),
        ("spiderman", "Spider-Man"),
        ("spider man", "Spider-Man"),
        ("spider-m", "Spider-Man"),
        ("spydermann", "Spider-Man"),
        ("starwa", "Star Wars"),
        ("star wras", "Star Wars"),
        ("schindler's", "Schindler\u2019s List"),
        ("schindlers li", "Schindler\u2019s List"),
        ("shindler", "Schindler\u2019s List"),
        ("fast and f", "Fast & Furious"),
        ("amelie", "Amélie"),
        ("amélei", "Amélie"),
        ("巨人", "進撃の巨人"),
        ("千尋", "Spirited Away"),
        ("iron clad", "Ironclad"),
        ("brat", ""),
        ("брат", "Брат"),
        ("БРА", "Брат"),
        ("آژانس", "آژانس شیشه‌ای"),
    ],
)
def test_a_name_is_found_as_people_type_it(query: str, expected: str) -> None:
    assert names(CLASSICS, query)[:1] == [expected] * bool(expected)


@pytest.mark.parametrize("query", ["ark", "!!!", "  ", "…", "🦇🦇", "x" * 200, "a'; DROP TABLE titles; --", "\x07\x1b"])
def test_what_matches_no_word_finds_nothing(query: str) -> None:
    assert names([title("The Dark Knight")], query) == []


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
    assert names(titles, "up") == [
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
    titles = [title("Rings of the Lord", 20), title("The Lord of the Rings", 30), title("Lord Rings", 1)]
    assert names(titles, "lord rings") == ["Lord Rings", "The Lord of the Rings", "Rings of the Lord"]


def test_an_exact_name_stays_above_a_mistyped_one_unless_that_is_better_known_by_more_than_87() -> None:
    assert names([title("Batmn", 10), title("Batman", 97)], "batmn") == ["Batmn", "Batman"]
    assert names([title("Batmn", 10), title("Batman", 98)], "batmn") == ["Batman", "Batmn"]


def test_an_exact_name_stays_above_a_longer_one_unless_that_is_better_known_by_more_than_75() -> None:
    assert names([title("Star", 10), title("Star Wars", 84)], "star") == ["Star", "Star Wars"]
    assert names([title("Star", 10), title("Star Wars", 86)], "star") == ["Star Wars", "Star"]


def test_a_typo_in_the_first_letter_costs_twice() -> None:
    found = index([title("Narnia", 50), title("Marnie", 50)]).search("narnie", limit=5)
    assert [(hit.name, hit.score.typos) for hit in found if hit.score] == [("Narnia", 1), ("Marnie", 2)]


@pytest.mark.parametrize(("query", "names_found"), [("ab", ["abd"]), ("abc", ["abd"]), ("abcd", ["abd"]), ("xyz", [])])
def test_short_words_are_forgiven_less(query: str, names_found: list[str]) -> None:
    assert names([title("abd")], query) == names_found


def test_the_score_says_how_it_came_about() -> None:
    [hit] = index([title("Sherlock Holmes", 80)]).search("sherlok holmes", limit=5)
    assert hit.score == Score(Match.EXACT_NAME, 100.0, 1, -35.0, 0.0, 32.0)
    assert hit.score.total == 97.0


def test_the_alias_that_matched_is_told_only_when_the_name_did_not() -> None:
    made = index([title("Attack on Titan", aliases=["AoT", "Shingeki no Kyojin"])])
    told = {query: [hit.alias for hit in made.search(query, limit=5)] for query in ("att", "aot", "kyo", "no shingeki")}
    assert told == {"att": [""], "aot": ["AoT"], "kyo": ["Shingeki no Kyojin"], "no shingeki": ["Shingeki no Kyojin"]}


def test_an_actor_is_found_and_so_are_the_characters() -> None:
    found = index(CLASSICS).search("robin wri", limit=5)
    assert [(hit.name, hit.kind, hit.actor) for hit in found] == [
        ("Robin Wright", Kind.ACTOR, ""),
        ("Jenny Curran", Kind.CHARACTER, "Robin Wright"),
    ]


def test_a_word_of_the_title_helps_to_find_its_character() -> None:
    titles = [title("Star Wars", 90, characters=["Luke"]), title("Shelter", 80, characters=["Luke"])]
    found = index(titles).search("luke star wars", limit=1)
    assert [(hit.name, hit.title_name) for hit in found] == [("Luke", "Star Wars")]


def test_only_what_the_filter_lets_through_is_found() -> None:
    made = index(
        [
            title("Akira", kind=Kind.ANIME, year=1988),
            title("Akira Film", characters=["Akira Kurosawa"], actors=["Akira Actor"], year=2001),
            title("Akira Nights", adult=True, characters=["Akira Unseen"], year=2001),
            title("Akira Undated", year=0),
        ]
    )

    def found(only: Filter) -> set[str]:
        return {hit.name for hit in made.search("aki", only, limit=20)}

    assert found(Filter(frozenset({Kind.ANIME}))) == {"Akira"}
    assert found(Filter(frozenset({Kind.CHARACTER}))) == {"Akira Kurosawa"}
    assert found(Filter(year_max=1990)) == {"Akira", "Akira Actor"}
    assert found(Filter(year_min=2001, include_adult=True)) == {
        "Akira Film",
        "Akira Kurosawa",
        "Akira Actor",
        "Akira Nights",
        "Akira Unseen",
    }
    assert found(Filter()) == {"Akira", "Akira Film", "Akira Kurosawa", "Akira Actor", "Akira Undated"}


def first_letters(entry: tuple[str, str, float]) -> str:
    return entry[1][:4]


def crowd() -> list[Title]:
    kinds = (Kind.FILM, Kind.SERIES, Kind.ANIME)
    return [title(f"Same {number:04}", number % 1000 / 10 + 1, kind=kinds[number % 3]) for number in range(2000)]


def test_a_crowded_beginning_answers_as_one_that_is_not() -> None:
    titles = crowd()
    assert len(titles) > STARTS_MAX
    best = sorted(titles, key=lambda one: (-one.popularity, one.name))
    for query in ("s", "same"):
        found = index(titles).search(query, limit=50)
        assert ([hit.name for hit in found], found.total) == ([one.name for one in best][:50], HITS_MAX)
    anime = [one.name for one in best if one.kind is Kind.ANIME]
    found = index(titles).search("sa", Filter(frozenset({Kind.ANIME})), limit=50)
    assert ([hit.name for hit in found], found.total) == (anime[:50], len(anime))


@pytest.mark.parametrize("query", ["s", "same 00", "sma", "0999"])
def test_pages_put_together_are_the_whole_answer(query: str) -> None:
    made = index(crowd())
    whole = made.search(query, limit=HITS_MAX)
    pages = [made.search(query, limit=7, offset=offset) for offset in range(0, whole.total, 7)]
    assert [hit for page in pages for hit in page] == list(whole)
    assert {page.total for page in pages} == {whole.total}


def test_what_is_popular_comes_in_order_and_filtered() -> None:
    made = index(CLASSICS)
    assert [hit.name for hit in made.popular(limit=3)] == ["Star Wars", "The Dark Knight", "Spirited Away"]
    assert [hit.name for hit in made.popular(Filter(frozenset({Kind.ANIME})), limit=3)] == ["Spirited Away"]
    assert [hit.name for hit in made.popular(limit=1, offset=1)] == ["The Dark Knight"]


def test_titles_and_characters_come_back_as_they_went_in() -> None:
    one = title("Forrest Gump", 94, ["Gump"], characters=["Jenny Curran"], actors=["Robin Wright"], year=1994)
    made = index([one])
    character, origin = made.character("forrest-gump-0")
    assert made.title("forrest-gump").best_known_first()[0].name == "Jenny Curran"
    assert (origin.id, origin.name, origin.year, origin.aliases, origin.kind) == (
        "forrest-gump",
        "Forrest Gump",
        1994,
        ("Gump",),
        Kind.FILM,
    )
    assert (character.name, [actor.name for actor in character.actors]) == ("Jenny Curran", ["Robin Wright"])
    assert [made.has(name) for name in ("titles/forrest-gump", "characters/forrest-gump", "actors/robin-wright")] == [
        True,
        False,
        True,
    ]
    assert list(made.names()) == ["titles/forrest-gump", "characters/forrest-gump-0", "actors/robin-wright"]
    for missing in (made.title, made.character):
        with pytest.raises(NotFound):
            missing("nobody")


def test_an_empty_catalogue_is_searched_like_any_other() -> None:
    made = index([])
    assert (list(made.search("batman", limit=5)), list(made.popular(limit=5)), list(made.names())) == ([], [], [])


@given(st.sampled_from(SHIPPED_ENTRIES))
def test_everything_shipped_is_found_by_its_full_name(entry: tuple[str, str, float]) -> None:
    entry_id, name, _ = entry
    assert entry_id in {hit.id for hit in SHIPPED_INDEX.search(name, limit=10)}


@given(st.sampled_from(POPULAR), st.data())
def test_every_beginning_of_a_popular_name_finds_it(name: str, data: st.DataObject) -> None:
    words = normal(name)
    beginning = words[: data.draw(st.integers(3, max(3, len(words))))]
    assert words in {normal(hit.name) for hit in SHIPPED_INDEX.search(beginning, limit=10)}


@given(
    st.one_of(st.text(max_size=200), st.sampled_from(SHIPPED_ENTRIES).map(lambda one: one[1][:4])), st.integers(1, 50)
)
def test_nothing_stands_twice_and_no_answer_is_longer_than_asked(query: str, limit: int) -> None:
    hits = SHIPPED_INDEX.search(query, limit=limit).hits
    ids = [(hit.kind, hit.id) for hit in hits]
    assert len(ids) == len(set(ids)) <= limit
    assert hits == SHIPPED_INDEX.search(query, limit=50).hits[:limit]


@given(drawn, few_letters, st.randoms())
def test_the_order_of_the_catalogue_does_not_matter(titles: Sequence[Title], query: str, random: Random) -> None:
    shuffled = random.sample(titles, len(titles))
    assert index(titles).search(query, limit=50) == index(shuffled).search(query, limit=50)


@given(drawn)
def test_every_name_and_alias_finds_its_own(titles: Sequence[Title]) -> None:
    made = index(titles)
    for one in titles:
        for name in (one.name, *one.aliases):
            assert one.id in [hit.id for hit in made.search(name, limit=50)]
        for character in one.characters:
            assert character.id in [hit.id for hit in made.search(character.name, limit=50)]
