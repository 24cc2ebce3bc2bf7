import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.snippet import SNIPPET_MAX, is_unfinished, snippet


@pytest.mark.parametrize(
    ("query", "unfinished"),
    [
        ("hou", True),
        ("the hou", True),
        ('"the moor" hou', True),
        ("l'ét", True),
        ("", False),
        ("  ", False),
        ("hound ", False),
        ("hound?", False),
        ("-hou", False),
        ('"the hou', False),
        ('"the hou"', False),
    ],
)
def test_the_last_word_of_a_query_may_be_a_beginning(query: str, unfinished: bool) -> None:
    assert is_unfinished(query) == unfinished


def words(text: str, query: str) -> list[str]:
    found = snippet(text, query)
    return [found.text[start:end] for start, end in found.highlights]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("hound.", ["Hound", "hound"]),
        ("HOU", ["Hound", "hounds", "hound"]),
        ("hou ", []),
        ('"hound by" moor', ["Hound", "by", "moor", "hound"]),
        ("moor -hound", ["moor"]),
        ("night OR moor", ["night", "moor"]),
        ("moor-hound", ["Hound", "hounds", "moor", "hound"]),
        ("?!", []),
    ],
)
def test_the_words_of_a_query_stand_out(query: str, shown: list[str]) -> None:
    assert words("The Hound by night, two hounds of the moor; a hound.", query) == shown


def test_a_snippet_is_the_piece_around_the_first_match() -> None:
    text = "Nothing yet. " * 30 + "A hound! " + "And so on. " * 30
    found = snippet(text, "hound")
    assert found.text == "yet. Nothing yet. Nothing yet. A hound! " + ("And so on. " * 11).strip()
    assert [found.text[start:end] for start, end in found.highlights] == ["hound"]


def test_a_text_without_a_match_is_shown_from_its_beginning() -> None:
    found = snippet("word " * 100, "hound")
    assert (found.text, found.highlights) == (("word " * 32).strip(), ())


@given(st.text(max_size=600), st.text(max_size=30))
def test_a_snippet_is_a_piece_of_its_text_whatever_is_looked_for(text: str, query: str) -> None:
    found = snippet(text, query)
    assert found.text in text
    assert len(found.text) <= SNIPPET_MAX
    assert all(0 <= start < end <= len(found.text) for start, end in found.highlights)
    assert list(found.highlights) == sorted(found.highlights)
