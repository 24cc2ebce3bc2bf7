import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import pages
from runtime.errors import InvalidArgument

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50)


@given(TEXT, st.lists(TEXT, max_size=3))
def test_a_token_gives_its_position_back(scope: str, position: list[str]) -> None:
    assert pages.position(scope, pages.token(scope, position), len(position)) == position


def test_the_first_page_has_no_position() -> None:
    assert pages.position("users/alice/entries", "", 1) is None


@given(st.text(min_size=1, max_size=100))
def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(InvalidArgument):
        pages.position("users/alice/entries", garbage, 1)


def test_a_token_of_another_query_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        pages.position("users/bob/entries", pages.token("users/alice/entries", ["1"]), 1)


@pytest.mark.parametrize("part", ["a\0b", "\ud800", "caf\udce9"])
def test_what_no_database_takes_is_refused(part: str) -> None:
    with pytest.raises(InvalidArgument):
        pages.position("users/alice/entries", pages.token("users/alice/entries", [part]), 1)
