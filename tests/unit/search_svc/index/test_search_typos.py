import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.search_svc.index import typos
from services.search_svc.index.strings import Sorted, by_two, packed
from services.search_svc.index.typos import BEGINNING_MAX, BEGINNING_MIN, TWO_TYPOS_MIN, Near, Typos

words = st.text("abcé進", min_size=1, max_size=10)
vocabularies = st.lists(words, min_size=1, max_size=40, unique=True).map(sorted)


def near(vocabulary: list[str], word: str, typos_max: int, *, begins: bool = False) -> Near:
    blob, offsets = packed(vocabulary)
    ordered = offsets[:-1].astype(np.uint32)
    made = Sorted((blob.tobytes(), 0), ordered, by_two(blob, ordered))
    return Typos(made, typos.tables(vocabulary)).near(word, typos_max, begins=begins)


def told(vocabulary: list[str], found: Near) -> dict[str, int]:
    return {vocabulary[number]: count for number, count in zip(found.words.tolist(), found.typos.tolist(), strict=True)}


@given(vocabularies, words.filter(lambda word: len(word) >= BEGINNING_MIN))
def test_every_word_one_change_away_is_found_and_no_other(vocabulary: list[str], word: str) -> None:
    expected = {
        one: distance + (distance > 0 and one[0] != word[0])
        for one in vocabulary
        if len(one) >= BEGINNING_MIN and (distance := OSA.distance(one, word)) <= 1
    }
    assert told(vocabulary, near(vocabulary, word, 1)) == expected


@given(vocabularies, words.filter(lambda word: len(word) >= TWO_TYPOS_MIN))
def test_every_long_word_two_changes_away_is_found(vocabulary: list[str], word: str) -> None:
    found = told(vocabulary, near(vocabulary, word, 2))
    assert {one for one in vocabulary if len(one) >= TWO_TYPOS_MIN and OSA.distance(one, word) <= 2} <= set(found)
    assert all(OSA.distance(one, word) <= 2 for one in found)


@given(vocabularies, words.filter(lambda word: BEGINNING_MIN < len(word) <= BEGINNING_MAX))
def test_words_that_go_on_from_a_mistyped_beginning_are_found(vocabulary: list[str], word: str) -> None:
    ranges = near(vocabulary, word, 1, begins=True).ranges
    found = {one for low, high, _ in ranges for one in vocabulary[low:high]}
    lengths = (len(word) - 1, len(word), len(word) + 1)
    assert found == {
        one
        for one in vocabulary
        for length in lengths
        if BEGINNING_MIN <= length <= min(len(one), BEGINNING_MAX) and OSA.distance(one[:length], word) <= 1
    }


def test_what_is_near_is_told_with_its_changes() -> None:
    vocabulary = sorted(["hermione", "harmony", "sherlock", "potter", "otter"])
    assert told(vocabulary, near(vocabulary, "hermoine", 1)) == {"hermione": 1}
    assert told(vocabulary, near(vocabulary, "shrelok", 2)) == {"sherlock": 2}
    assert told(vocabulary, near(vocabulary, "potter", 1)) == {"potter": 0, "otter": 2}
