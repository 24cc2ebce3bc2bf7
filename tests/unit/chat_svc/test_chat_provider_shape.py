import pytest

from services.chat_svc.domain.outcome import Usage
from services.chat_svc.providers.shape import TOKENS_MAX, counted, usage


@pytest.mark.parametrize("told", [None, -1, 1.0, "1", True, TOKENS_MAX + 1, 10**30])
def test_what_is_no_count_is_no_usage(told: object) -> None:
    assert (usage(told, 1, 0), usage(1, told, 0)) == (None, None)
    assert usage(3, 1, told) == Usage(3, 1)


def test_what_was_cached_is_a_part_of_the_input() -> None:
    assert usage(TOKENS_MAX, 0, 5) == Usage(TOKENS_MAX, 0, cached_tokens=5)
    assert usage(3, 1, 5) == Usage(3, 1, cached_tokens=3)


def test_a_text_of_no_tokens_was_not_counted() -> None:
    assert (counted(Usage(3, 0), spoke=True), counted(None, spoke=True)) == (None, None)
    assert (counted(Usage(3, 0), spoke=False), counted(Usage(3, 1), spoke=True)) == (Usage(3, 0), Usage(3, 1))
