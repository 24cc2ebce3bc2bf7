import pytest

from cli.text import printable, word
from scenemesh.quota.v1 import quota_pb2


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


@pytest.mark.parametrize(("number", "told"), [(quota_pb2.HOLD_STATE_HELD, "held"), (99, "99")])
def test_a_value_of_an_enum_is_a_word_and_one_of_the_future_its_number(number: int, told: str) -> None:
    hold = quota_pb2.Hold.FromString(bytes([3 << 3, number]))
    assert word(hold, "state", "HOLD_STATE_") == told
