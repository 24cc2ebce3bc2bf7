import re

import pytest

from services.search_svc.sources.file.slugs import digest, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("The Matrix 1999", "the-matrix-1999"),
        ("tt0133093", "tt0133093"),
        ("Schindler's List", "schindlers-list"),
        ("Amélie", "amelie"),
        ("Tom & Jerry", "tom-and-jerry"),
        ("進撃の巨人", digest("進撃の巨人")),
        ("Akira アキラ", f"akira-{digest('akira アキラ')}"),
        ("?!", ""),
    ],
)
def test_a_slug_can_be_read_where_the_name_is_in_latin_letters(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_long_names_are_cut_and_stay_different() -> None:
    first, second = slug(f"{'long ' * 40}1"), slug(f"{'long ' * 40}2")
    assert first != second
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) and len(one) <= 55 for one in (first, second))
    assert first.startswith("long-long-long-")
