import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.search_svc.terms import normal, spellings, without_article, word_starts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  The   MATRIX ", "the matrix"),
        ("Amélie", "amelie"),
        ("Schindler's List", "schindlers list"),
        ("Schindler\u2019s List", "schindlers list"),
        ("Spider-Man: No Way Home", "spider man no way home"),
        ("Fast & Furious", "fast and furious"),
        ("Sigrún Ødegård", "sigrun odegard"),
        ("Straße", "strasse"),
        ("\uff21\uff2b\uff29\uff32\uff21", "akira"),
        ("進撃の巨人", "進撃の巨人"),
        ("エレン・イェーガー", "エレン イェーガー"),
        ("ガンダム", "ガンダム"),
        ("Ёлки", "елки"),
        ("हिन्दी", "हिन्दी"),
        ("?!… —", ""),
        ("", ""),
    ],
)
def test_a_text_becomes_the_words_that_people_type(text: str, words: str) -> None:
    assert normal(text) == words


def test_a_name_is_spelled_with_and_without_the_marks_inside_its_words() -> None:
    assert spellings("Spider-Man") == ("spider man", "spiderman")
    assert spellings("E.T.") == ("e t", "et")
    assert spellings("L'Avventura") == ("lavventura", "l avventura")
    assert spellings("Metropolis") == ("metropolis",)


def test_an_article_is_left_out_only_when_something_follows() -> None:
    assert without_article("the matrix") == "matrix"
    assert (without_article("the"), without_article("theodore rex"), without_article("")) == ("", "", "")


def test_a_word_begins_after_a_space_or_at_any_character_of_a_script_without_spaces() -> None:
    assert word_starts("spider man") == [0, 7]
    assert word_starts("巨人 x") == [0, 1, 3]


@given(st.text(max_size=200))
def test_what_is_normal_stays_as_it_is(text: str) -> None:
    assert normal(normal(text)) == normal(text)
