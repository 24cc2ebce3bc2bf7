import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.search_svc.index.order import order
from services.search_svc.index.ragged import rows, unique
from services.search_svc.index.strings import Sorted, Strings, by_two, packed

# Long and alike, so that what is compared first does not decide; no NUL, which ends a key.
texts = st.one_of(st.text("ab進", max_size=6), st.text("ab", max_size=3).map(lambda end: "a" * 33 + end))


def in_order(keys: list[str]) -> Sorted:
    blob, offsets = packed(keys)
    ordered = offsets[:-1].astype(np.uint32)
    return Sorted((blob.tobytes(), 0), ordered, by_two(blob, ordered))


@given(st.lists(texts))
def test_texts_come_back_as_they_went_in(kept: list[str]) -> None:
    strings = Strings(*packed(kept))
    assert [strings[number] for number in range(len(strings))] == kept


@given(st.lists(texts))
def test_keys_are_put_in_the_order_of_their_bytes_and_equal_ones_stay(keys: list[str]) -> None:
    blob, offsets = packed(keys)
    places = order(blob, offsets[:-1].astype(np.int64)).tolist()
    assert places == sorted(range(len(keys)), key=lambda place: keys[place].encode())


@given(st.lists(texts.filter(bool)).map(sorted), texts.filter(bool))
def test_keys_are_found_by_their_beginning(keys: list[str], prefix: str) -> None:
    found = in_order(keys)
    low, high = found.range(prefix.encode())
    assert keys[low:high] == [key for key in keys if key.startswith(prefix)]
    assert keys[low : found.equal(prefix.encode(), low, high)] == [key for key in keys if key == prefix]
    assert found.find(prefix.encode()) == (keys.index(prefix) if prefix in keys else None)


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1), st.data())
def test_rows_are_laid_out_one_after_the_other(kept: list[list[int]], data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(kept) - 1)))
    values = np.array([value for row in kept for value in row], dtype=np.int64)
    first = np.cumsum([0, *(len(row) for row in kept)]).astype(np.uint32)
    laid = rows(first, np.array(numbers, dtype=np.int64))
    assert values[laid.where].tolist() == [value for number in numbers for value in kept[number]]
    assert laid.places.tolist() == [place for number in numbers for place in range(len(kept[number]))]
    assert laid.begins.tolist() == [
        sum(len(kept[number]) for number in numbers[:place]) for place in range(len(numbers))
    ]


@given(st.lists(st.integers(0, 9)))
def test_what_differs_comes_once_and_in_order(numbers: list[int]) -> None:
    assert unique(np.array(numbers, dtype=np.int64)).tolist() == sorted(set(numbers))
