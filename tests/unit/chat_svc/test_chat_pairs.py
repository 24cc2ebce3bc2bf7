"""Queries of words that stand without spaces between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.domain.script import in_pairs
from services.chat_svc.domain.snippet import SNIPPET_MAX, snippet

SUSHI = "今日は寿司を食べました。とても美味しかった。"


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("hound -moor or 'cab'", "hound -moor or 'cab'"),
        ('"the hound" "open', '"the hound" "open'),
        ("寿", ' "寿" '),
        ("寿司", ' "寿司" '),
        ("寿司屋", ' "寿司 司屋" '),
        ("寿司 or -東京都", ' "寿司"  or  -"東京 京都" '),
        ("東京tower", ' "東京 京 tower" '),
        ("the東", ' "the 東" '),
        ("「寿司」、", ' "寿司" '),
        ('"寿司、刺身"', ' "寿司 司 刺 刺身" '),
        ('"a 東 b"', ' "a 東 東 b" '),
        ("학교", ' "학교" '),
    ],
)
def test_a_query_is_in_pairs_where_it_has_no_spaces(query: str, pairs: str) -> None:
    assert in_pairs(query) == pairs


def words(text: str, query: str) -> list[str]:
    found = snippet(text, query)
    return [found.text[start:end] for start, end in found.highlights]


@pytest.mark.parametrize(
    ("text", "query", "shown"),
    [
        (SUSHI, "寿司", ["寿司"]),
        (SUSHI, "食べました", ["食べました"]),
        (SUSHI, "し", ["し", "し"]),
        (SUSHI, "美味 美味しかった", ["美味しかった"]),
        (SUSHI, "東京", []),
        ("東京Tower and 東京 too", "tower 東京", ["東京", "Tower", "東京"]),
        ("학교에서 배웠다", "학교", ["학교"]),
    ],
)
def test_what_was_found_inside_of_a_run_stands_out(text: str, query: str, shown: list[str]) -> None:
    assert words(text, query) == shown


def test_a_snippet_of_a_text_without_spaces_begins_a_little_before_the_match() -> None:
    found = snippet("あ" * 500 + "寿司" + "い" * 500, "寿司")
    assert found.text == "あ" * 40 + "寿司" + "い" * 118
    assert found.highlights == ((40, 42),)


@given(st.text("寿司を東京ab 。", max_size=300), st.text('寿司を東京ab "-', max_size=8))
def test_a_snippet_is_a_piece_of_its_text_in_every_script(text: str, query: str) -> None:
    found = snippet(text, query)
    assert found.text in text
    assert len(found.text) <= SNIPPET_MAX
    assert all(0 <= start < end <= len(found.text) for start, end in found.highlights)
