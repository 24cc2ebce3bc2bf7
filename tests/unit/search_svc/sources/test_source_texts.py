from services.search_svc.domain.entries import ALIASES_MAX, NAME_LENGTH_MAX, OVERVIEW_LENGTH_MAX
from services.search_svc.sources import texts


def test_a_tidy_text_is_one_line_that_can_be_stored() -> None:
    assert texts.tidy(" The\tMatrix\0\r\n Re\ud800loaded\x1b ") == "The Matrix Re loaded"
    assert texts.tidy(None) == ""


def test_a_name_needs_letters_or_digits_and_an_end() -> None:
    assert texts.fault_of_name("M") == ""
    assert texts.fault_of_name("鋼の錬金術師") == ""
    assert texts.fault_of_name("…!?") == "has a name without letters and digits"
    assert texts.fault_of_name("M" * NAME_LENGTH_MAX) == ""
    assert texts.fault_of_name("M" * (NAME_LENGTH_MAX + 1)) == "has a name of more than 300 characters"


def test_aliases_say_something_else_each() -> None:
    others = ["the matrix", "Matrix", None, "", "MATRIX!", "…", "M" * 301, "La  matrice"]
    assert texts.aliases("The Matrix", others) == ("Matrix", "La matrice")


def test_aliases_have_a_limit() -> None:
    assert texts.aliases("M", map(str, range(100))) == tuple(map(str, range(ALIASES_MAX)))


def test_an_overview_is_cut_after_a_word() -> None:
    assert texts.overview(" A hacker\nlearns. ") == "A hacker learns."
    assert texts.overview("word " * 1000) == "word " * (OVERVIEW_LENGTH_MAX // 5 - 1) + "word…"
    assert texts.overview("w" * 5000) == "w" * (OVERVIEW_LENGTH_MAX - 1) + "…"
