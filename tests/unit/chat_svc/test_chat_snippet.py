from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain import snippet as snippets
from services.chat_svc.domain.script import PIECE
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


class Reading:
    """Finds the pieces of a text, and remembers how far it has read."""

    end = 0

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        for match in PIECE.finditer(text):
            self.end = match.end()
            yield match

    def findall(self, text: str) -> list[str]:
        return list(PIECE.findall(text))


def test_what_stands_behind_a_snippet_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    reading = Reading()
    monkeypatch.setattr(snippets, "PIECE", reading)
    found = snippet("a一" * 32_000, "一 a")
    assert (found.text, found.highlights) == ("a一" * 80, tuple((at, at + 1) for at in range(160)))
    assert reading.end == SNIPPET_MAX + 1


def test_a_match_that_ends_behind_a_snippet_does_not_stand_out() -> None:
    assert snippet("hound" + "." * 149 + "hounds" + "." * 200, "hou").highlights == ((0, 5), (154, 160))
    assert snippet("hound" + "." * 150 + "hounds" + "." * 200, "hou").highlights == ((0, 5),)


@given(st.text(max_size=600), st.text(max_size=30))
def test_a_snippet_is_a_piece_of_its_text_whatever_is_looked_for(text: str, query: str) -> None:
    found = snippet(text, query)
    assert found.text in text
    assert len(found.text) <= SNIPPET_MAX
    assert all(0 <= start < end <= len(found.text) for start, end in found.highlights)
    assert list(found.highlights) == sorted(found.highlights)
