import zlib
from re import DOTALL, findall

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chat_svc.archive.letters import FONTS, MISSING, lettered
from services.chat_svc.archive.pdf import pdf
from services.chat_svc.archive.wrapping import wrapped

WHEN = "2026-11-21 12:00 UTC"
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def lines(text: str, width: float) -> list[str]:
    """How a text is wrapped; a width of so many letters, which are all of the same width here."""
    one = lettered("n", FONTS)[0].width
    return ["".join(letter.shown for letter in row) for row in wrapped(lettered(text, FONTS), width * one)]


@given(ANY, ANY)
def test_whatever_was_said_can_be_printed(title: str, text: str) -> None:
    printed = pdf(title, WHEN, [("You", text)])
    assert (printed[:5], printed.rstrip()[-5:]) == (b"%PDF-", b"%%EOF")


def test_a_file_to_print_is_the_same_every_time() -> None:
    said = [("You", "Who are you?"), ("Mira", "私は船長です。")]
    assert pdf("A talk", WHEN, said) == pdf("A talk", WHEN, said)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("nnn nnn nnn", ["nnn ", "nnn ", "nnn"]),
        ("nn nn nn", ["nn nn ", "nn"]),
        ("nnnnnnnnnnnn", ["nnnnn", "nnnnn", "nn"]),
        ("n nnnnnnn", ["n ", "nnnnn", "nn"]),
        ("", []),
    ],
)
def test_lines_are_filled_as_far_as_they_go(text: str, rows: list[str]) -> None:
    assert lines(text, 5.5) == rows


def test_japanese_breaks_anywhere_but_before_a_full_stop_and_behind_a_bracket() -> None:
    kana = lettered("あ", FONTS)[0].width
    rows = wrapped(lettered("ああああ。ああ「あ」", FONTS), 4 * kana)
    assert ["".join(letter.shown for letter in row) for row in rows] == ["あああ", "あ。ああ", "「あ」"]


@given(ANY, st.floats(1, 20))
def test_nothing_is_lost_between_lines(text: str, width: float) -> None:
    assert "".join(lines(text, width)) == "".join(letter.shown for letter in lettered(text, FONTS))


def test_a_letter_that_no_font_has_is_a_box_and_what_shows_nothing_is_nothing() -> None:
    shown = [letter.shown for letter in lettered("a😀\u200d\ufe0f\x07", FONTS)]
    assert shown == ["a", MISSING, "", "", ""]


@pytest.mark.parametrize(
    ("text", "fonts"),
    [
        ("吾輩は猫である。", {"ipaexg"}),
        ("東京", {"ipaexg"}),
        ("我们说汉语。", {"STSong-Light"}),
        ("안녕, 世界", {"HYSMyeongJo-Medium", "notos"}),
        ("们です", {"STSong-Light", "ipaexg"}),
        ("Привет", {"notos"}),
        ("שלום", {"figo"}),
    ],
)
def test_letters_come_from_the_font_of_their_language(text: str, fonts: set[str]) -> None:
    assert {letter.font for letter in lettered(text, FONTS)} == fonts


def test_the_japanese_letters_of_a_file_come_with_it() -> None:
    printed = pdf("猫", WHEN, [("You", "吾輩は猫である。")])
    embedded = findall(rb"/FontName /(\S+?)\s", printed)
    assert any(name.endswith(b"IPAexGothic") for name in embedded)
    assert (b"HeiseiMin" in printed, len(printed) < 100_000) == (False, True)


def test_a_long_conversation_goes_on_on_the_next_page() -> None:
    printed = pdf("A talk", WHEN, [("You", "Well.\n" * 100)])
    pages = [
        zlib.decompress(page) for page in findall(rb"stream\r?\n(.*?)endstream", printed, DOTALL) if page[:1] == b"x"
    ]
    assert sum(b" Tj" in page and b"BT" in page for page in pages) == 3
