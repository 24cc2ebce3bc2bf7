from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from services.search_svc.domain.sync import Mode
from services.search_svc.sources.source import SourceError
from services.search_svc.sources.tmdb.place import Place

TODAY = date(2026, 11, 21)


def test_everything_begins_at_the_beginning() -> None:
    assert Place.of({}, Mode.FULL, datetime(2026, 11, 20, tzinfo=UTC), TODAY) == Place()
    assert Place.of({}, Mode.CHANGES, None, TODAY) == Place()


@pytest.mark.parametrize(
    ("since", "place"),
    [
        (datetime(2026, 11, 20, 23, tzinfo=UTC), Place(plan="changes", start=date(2026, 11, 20), end=TODAY)),
        (datetime(2026, 11, 7, tzinfo=UTC), Place(plan="changes", start=date(2026, 11, 7), end=TODAY)),
        (datetime(2026, 11, 6, 23, 59, tzinfo=UTC), Place(overdue=True)),
        (datetime(2026, 11, 22, tzinfo=UTC), Place(plan="changes", start=TODAY, end=TODAY)),
        (
            datetime(2026, 11, 20, 1, tzinfo=timezone(timedelta(hours=5))),
            Place(plan="changes", start=date(2026, 11, 19), end=TODAY),
        ),
    ],
)
def test_changes_are_told_of_fourteen_days(since: datetime, place: Place) -> None:
    assert Place.of({}, Mode.CHANGES, since, TODAY) == place


@pytest.mark.parametrize(
    "place",
    [
        Place(),
        Place(stage=1, page=17),
        Place(day=date(2026, 11, 20), position=4040, overdue=True),
        Place(plan="changes", start=date(2026, 11, 9), end=TODAY, bar=3.25, page=2, position=40),
    ],
)
def test_a_cursor_says_where_it_was(place: Place) -> None:
    cursor = place.cursor()
    assert cursor
    assert Place.of(cursor, Mode.FULL, None, date(2027, 1, 1)) == place


def test_the_next_stage_keeps_the_plan() -> None:
    place = Place(plan="changes", start=date(2026, 11, 9), end=TODAY, bar=3.25, page=2, position=40)
    assert place.next_stage() == Place(plan="changes", start=date(2026, 11, 9), end=TODAY, stage=1)


@pytest.mark.parametrize("cursor", [{"plan": "other"}, {"page": "?"}, {"rows": 7}])
def test_a_cursor_of_another_version_is_refused(cursor: dict[str, str | int]) -> None:
    with pytest.raises(SourceError) as raised:
        Place.of(cursor, Mode.FULL, None, TODAY)
    assert str(raised.value) == "Where this sync was cannot be read by this version: start another one."
