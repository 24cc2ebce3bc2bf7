import pytest

from cli.local.stripe.form import DEPTH_MAX, PARAMETERS_MAX, parse
from cli.local.stripe.refusal import Refusal


def test_brackets_are_hashes_and_numbers_are_lists() -> None:
    pairs = [
        ("mode", "payment"),
        ("line_items[0][price]", "p"),
        ("line_items[1][price]", "q"),
        ("expand[]", "a"),
        ("expand[]", "b"),
        ("metadata[1]", "one"),
        ("pause_collection", ""),
    ]
    assert parse(pairs) == {
        "mode": "payment",
        "line_items": [{"price": "p"}, {"price": "q"}],
        "expand": ["a", "b"],
        "metadata": {"1": "one"},
        "pause_collection": "",
    }


@pytest.mark.parametrize(
    "pairs",
    [
        [("a[b", "1")],
        [("", "1")],
        [("a", "1"), ("a[b]", "2")],
        [("a" + "[b]" * DEPTH_MAX, "1")],
        [(f"a{number}", "1") for number in range(PARAMETERS_MAX + 1)],
    ],
)
def test_what_is_no_form_is_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Refusal):
        parse(pairs)
