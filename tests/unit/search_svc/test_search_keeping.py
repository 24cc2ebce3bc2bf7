from dataclasses import replace

import pytest

from services.search_svc.domain.entries import ALIASES_MAX, CHARACTERS_MAX, Actor, Character, Kind, Title
from services.search_svc.domain.keeping import Holder, cast, printable, sound

NEO = Character("neo", "Neo", (), "", 90, (Actor("keanu", "Keanu Reeves"),))
MATRIX = Title("matrix", "The Matrix", Kind.FILM, 1999, (), 95, (NEO,))
SEQUEL = Title("sequel", "The Matrix Reloaded", Kind.FILM, 2003, (), 80, (NEO,))


def test_what_is_sound_is_kept_once_as_it_was_said_last() -> None:
    moved = replace(MATRIX, popularity=60, characters=(NEO, replace(NEO, popularity=1)))
    assert sound([MATRIX, SEQUEL, moved]) == (
        [replace(MATRIX, popularity=60, characters=(replace(NEO, popularity=1),)), SEQUEL],
        [],
    )


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (replace(MATRIX, kind=Kind.ACTOR), "is a actor, which is no kind of title"),
        (replace(MATRIX, year=-1), "has the year -1"),
        (replace(MATRIX, year=2**31), "has the year 2147483648"),
        (replace(MATRIX, name=""), "has no id or no name, or too long an id"),
        (replace(MATRIX, popularity=float("nan")), "has a popularity that is not between 1 and 100"),
        (replace(MATRIX, popularity=0.5), "has a popularity that is not between 1 and 100"),
        (replace(MATRIX, name="x" * 301), "has a name of more than 300 characters, or more than 20 aliases"),
        (
            replace(MATRIX, aliases=("x",) * (ALIASES_MAX + 1)),
            "has a name of more than 300 characters, or more than 20 aliases",
        ),
        (replace(MATRIX, overview="x" * 2001), "has an overview that is too long or holds what is no text"),
        (replace(MATRIX, overview="a\0b"), "has an overview that is too long or holds what is no text"),
        (replace(MATRIX, name="half \ud83e"), "holds what is no text"),
        (replace(MATRIX, characters=(replace(NEO, persona="x" * 401),)), "has a persona of more than 400 characters"),
        (replace(MATRIX, characters=(replace(NEO, actors=(Actor("a", "\0"),)),)), "holds what is no text"),
        (replace(MATRIX, characters=(NEO,) * (CHARACTERS_MAX + 1)), "has more than 500 characters"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_sound_is_passed_over_and_said(broken: Title, why: str) -> None:
    assert sound([SEQUEL, broken]) == ([SEQUEL], [("titles/matrix", why)])


def test_of_titles_that_claim_a_character_the_better_known_one_has_it() -> None:
    assert cast([SEQUEL, MATRIX], {}) == ([("matrix", NEO)], [])
    assert cast([SEQUEL], {"neo": Holder("matrix", 95, foreign=False)}) == ([], [])
    assert cast([MATRIX], {"neo": Holder("sequel", 80, foreign=False)}) == ([("matrix", NEO)], [])


def test_a_title_that_claims_a_character_no_more_lets_it_go() -> None:
    alone = replace(MATRIX, characters=())
    assert cast([SEQUEL, alone], {"neo": Holder("matrix", 95, foreign=False)}) == ([("sequel", NEO)], [])


def test_a_character_of_another_source_stays_there_and_that_is_said() -> None:
    fault = ("characters/neo", "belongs to titles/matrix of another source")
    assert cast([SEQUEL], {"neo": Holder("matrix", 1, foreign=True)}) == ([], [fault])


def test_any_text_can_be_told() -> None:
    assert printable("a\0b\ud83ec", 4) == "a\ufffdb\ufffd"
