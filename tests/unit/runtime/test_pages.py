import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime import pages
from runtime.errors import InvalidArgument


@given(st.text(max_size=50), st.lists(st.text(max_size=50), max_size=3))
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
