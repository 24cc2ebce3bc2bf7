from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from runtime.errors import AlreadyExists, FailedPrecondition
from services.search_svc.domain.sync import Format, Mode, Order, State, Sync, Upload, begun

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDER = Order(UUID(int=1), "tmdb")
SYNC = Sync(UUID(int=1), "tmdb", Mode.FULL, 2000, NOW)


def test_an_order_begins_a_sync_that_waits() -> None:
    assert begun(ORDER, NOW, full_before=False) == SYNC


@pytest.mark.parametrize(
    ("asked", "full_before", "mode"),
    [
        (None, False, Mode.FULL),
        (None, True, Mode.CHANGES),
        (Mode.CHANGES, False, Mode.FULL),
        (Mode.CHANGES, True, Mode.CHANGES),
        (Mode.FULL, False, Mode.FULL),
        (Mode.FULL, True, Mode.FULL),
    ],
)
def test_changes_are_brought_only_where_everything_was_brought_before(
    asked: Mode | None, full_before: bool, mode: Mode
) -> None:
    assert begun(replace(ORDER, mode=asked), NOW, full_before=full_before).mode is mode


def test_an_order_that_comes_again_is_answered_by_what_it_began() -> None:
    assert SYNC.answers(ORDER) is SYNC
    assert SYNC.answers(replace(ORDER, mode=Mode.CHANGES)) is SYNC
    upload = Upload(Format.CSV, gzip=False)
    for other in (replace(ORDER, source="jikan"), replace(ORDER, titles_max=1), replace(ORDER, upload=upload)):
        with pytest.raises(AlreadyExists) as refused:
            SYNC.answers(other)
        assert refused.value.reason == "REQUEST_ID_REUSED"


def test_a_sync_that_waits_is_cancelled_at_once_and_one_that_works_is_asked_to_end() -> None:
    working = replace(SYNC, state=State.RUNNING)
    assert SYNC.cancelled(NOW) == replace(SYNC, state=State.CANCELLED, ended=NOW)
    assert working.cancelled(NOW) == replace(working, cancel_requested=True)


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
def test_a_sync_that_is_over_cannot_be_cancelled(state: State) -> None:
    over = replace(SYNC, state=state)
    assert over.cancelled(NOW) is over


def test_a_sync_that_ended_early_goes_on_from_where_it_was() -> None:
    failed = replace(SYNC, cursor={"page": 7}, titles_kept=140, cancel_requested=True).over(State.FAILED, NOW, "No.")
    assert failed.resumed() == replace(SYNC, cursor={"page": 7}, titles_kept=140)
    for live in (SYNC, replace(SYNC, state=State.RUNNING)):
        assert live.resumed() is live


def test_a_sync_that_succeeded_has_nothing_left_to_do() -> None:
    with pytest.raises(FailedPrecondition) as refused:
        SYNC.over(State.SUCCEEDED, NOW).resumed()
    assert refused.value.reason == "SYNC_SUCCEEDED"
    assert refused.value.metadata == {"sync": f"syncs/{SYNC.id}"}


def test_the_collection_of_a_file_is_in_the_name_of_its_source() -> None:
    assert (SYNC.collection, replace(SYNC, source="file:mine").collection) == ("", "mine")
