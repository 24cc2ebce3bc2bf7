import pytest

from cli.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Elementary,\n\tmy dear Watson.", "Elementary,\n\tmy dear Watson."),
        ("\x1b]0;owned\x07\x1b[2Jgone", "]0;owned[2Jgone"),
        ("over\rwritten\x9b31m", "overwritten31m"),
        ("進撃の巨人 🦄", "進撃の巨人 🦄"),
    ],
)
def test_what_comes_from_elsewhere_cannot_drive_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
