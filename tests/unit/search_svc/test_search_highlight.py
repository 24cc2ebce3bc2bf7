from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.search_svc.highlight import Segment, _folded, segments
from services.search_svc.terms import normal

# Letters that fold in every way there is, among plain ones, so that they often stand side by side.
letters = st.sampled_from("ab A1 -'\u2019&.\u0301\u0308éßæﬁ½⑴İ\u1112\u1161\u11ab한ﾊﾞ進カ\u0903\u200d🦄\ufe0f\u202eשלח")
texts = st.one_of(st.text(letters, max_size=20), st.text(max_size=20))


def marked(text: str, typed: str) -> str:
    """The text with brackets around what matched."""
    return "".join(f"[{piece.text}]" if piece.matched else piece.text for piece in segments(text, normal(typed)))


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("The Dark Knight", "dark kn", "The [Dark Kn]ight"),
        ("The Dark Knight", "the dark", "[The Dark] Knight"),
        ("The Dark Knight", "a dark", "The [Dark] Knight"),
        ("The Dark Knight", "knight the", "[The] Dark [Knight]"),
        ("New York, New York", "new", "[New] York, [New] York"),
        ("The Darkest Dark", "dark the", "[The] Darkest [Dark]"),
        ("Sherlock Holmes", "s", "[S]herlock Holmes"),
        ("Spider-Man", "spider m", "[Spider-M]an"),
        ("Mission: Impossible", "mission impossible", "[Mission: Impossible]"),
        ("  Se7en  ", "se7", "  [Se7]en  "),
        ("Embark", "ark", "Embark"),
    ],
)
def test_words_are_marked_as_far_as_they_were_typed(text: str, typed: str, expected: str) -> None:
    assert marked(text, typed) == expected


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("Spider-Man", "spiderman", "[Spider-Man]"),
        ("The Dark Knight", "thedarkkn", "[The Dark Kn]ight"),
        ("Spider-Man: No Way Home", "spiderman way", "[Spider-Man]: No [Way] Home"),
        ("WALL·E", "walle", "[WALL·E]"),
        ("Superman", "super man", "[Superman]"),
        ("Interstellar", "inter stellar", "[Interstellar]"),
    ],
)
def test_a_match_goes_over_spaces_that_were_left_out_or_put_in(text: str, typed: str, expected: str) -> None:
    assert marked(text, typed) == expected


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("Interstellar", "intersteler", "[Interstellar]"),
        ("The Matrix", "matrx", "The [Matrix]"),
        ("The Matrix", "the matrxi", "[The Matrix]"),
        ("Interstellar", "intrest", "[Interstellar]"),
        ("Leonardo DiCaprio", "leonrado dica", "[Leonardo DiCa]prio"),
        ("Spider-Man", "spidermn", "[Spider-Man]"),
        ("Iron Man", "iornman", "[Iron Man]"),
        ("Spiderman", "spider mna", "[Spiderman]"),
        ("Neo", "nae", "Neo"),
        ("Alien", "aline", "[Alien]"),
        ("Alien", "albino", "Alien"),
    ],
)
def test_a_mistyped_word_marks_the_whole_one_that_it_is_nearest_to(text: str, typed: str, expected: str) -> None:
    assert marked(text, typed) == expected


@pytest.mark.parametrize(
    ("text", "typed", "expected"),
    [
        ("Amélie", "ame", "[Amé]lie"),
        ("Ame\u0301lie", "ame", "[Ame\u0301]lie"),
        ("Amélie", "AMÉ", "[Amé]lie"),
        ("Schindler's List", "schindlers l", "[Schindler's L]ist"),
        ("L\u2019Avventura", "avven", "L\u2019[Avven]tura"),
        ("L'Avventura", "lav", "[L'Av]ventura"),
        ("Straße", "stras", "[Straß]e"),
        ("Æon Flux", "aeo", "[Æo]n Flux"),
        ("Fast & Furious", "fast and fur", "[Fast & Fur]ious"),
        ("½ Prince", "1", "[½] Prince"),
        ("進撃の巨人", "巨人", "進撃の[巨人]"),
        ("進撃の巨人", "進撃 巨人", "[進撃]の[巨人]"),
        ("기생충", "기생", "[기생]충"),
        ("ﾊﾞｷ", "バ", "[ﾊﾞ]ｷ"),
        ("Ёлки", "елк", "[Ёлк]и"),
        ("הנערה מהחנות", "מהח", "הנערה [מהח]נות"),
        ("The 🦄 Unicorn", "uni", "The 🦄 [Uni]corn"),
        ("🦄", "uni", "🦄"),
    ],
)
def test_marks_stand_in_the_text_as_it_is_written(text: str, typed: str, expected: str) -> None:
    assert marked(text, typed) == expected


@pytest.mark.parametrize("typed", ["", "?!…", "🦄", "\x00\x1b"])
def test_a_query_without_words_marks_nothing(typed: str) -> None:
    assert segments("The Matrix", normal(typed)) == (Segment("The Matrix", matched=False),)


@given(texts, texts)
def test_the_pieces_are_the_text_and_none_is_empty_or_like_its_neighbour(text: str, typed: str) -> None:
    pieces = segments(text, normal(typed))
    assert "".join(piece.text for piece in pieces) == text
    assert all(piece.text for piece in pieces) or pieces == (Segment("", matched=False),)
    assert all(one.matched != other.matched for one, other in pairwise(pieces))


@given(texts)
def test_a_name_typed_whole_is_marked_whole(name: str) -> None:
    if words := normal(name):
        pieces = segments(name, words)
        assert normal("".join(piece.text for piece in pieces if not piece.matched)) == ""


@given(texts)
@example("1\u200d\u20191")
@example("か\u200d\u3099")
def test_letters_are_told_apart_as_where_names_are_compared(text: str) -> None:
    folded = _folded(text)
    assert folded.words == normal(text)
    assert len(folded.starts) >= len(folded.words)
