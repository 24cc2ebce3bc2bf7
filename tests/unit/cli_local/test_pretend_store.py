from pathlib import Path

import pytest

from cli.local.stripe.refusal import Refusal
from cli.local.stripe.store import Store


def test_a_refusal_undoes_what_was_done_before_it() -> None:
    store = Store()
    with store.transaction():
        store.add("customer", {"id": "a", "deep": {"n": 1}})
    version = store.version

    def refused() -> None:
        with store.transaction():
            store.edit("customer", "a")["deep"]["n"] = 2
            store.add("customer", {"id": "b"})
            raise Refusal("no")

    with pytest.raises(Refusal):
        refused()
    assert (store.all("customer"), store.version) == ([{"id": "a", "deep": {"n": 1}}], version)


def test_a_refusal_that_keeps_undoes_nothing() -> None:
    store = Store()

    def declined() -> None:
        with store.transaction():
            store.add("charge", {"id": "a"})
            raise Refusal("declined", keeps=True)

    with pytest.raises(Refusal):
        declined()
    assert store.all("charge") == [{"id": "a"}]


def test_what_is_tried_leaves_nothing() -> None:
    store = Store()
    with store.transaction():
        store.add("customer", {"id": "a"})
        with store.tentative():
            store.edit("customer", "a")["name"] = "x"
            store.add("customer", {"id": "b"})
    assert store.all("customer") == [{"id": "a"}]


def test_what_was_written_is_read_back_in_its_order(tmp_path: Path) -> None:
    store, again = Store(), Store()
    with store.transaction():
        for name in "abc":
            store.add("customer", {"id": name})
    store.write(tmp_path / "state.json")
    again.read(tmp_path / "state.json")
    again.read(tmp_path / "none.json")
    assert [one["id"] for one in again.all("customer")] == ["c", "b", "a"]
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_the_oldest_go_beyond_a_limit() -> None:
    store = Store()
    with store.transaction():
        for name in "abc":
            store.add("event", {"id": name})
    store.shorten("event", 2)
    assert [one["id"] for one in store.all("event")] == ["c", "b"]
