"""Where a sync with TMDB is: what its cursor says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from services.search_svc.domain.sync import Mode
from services.search_svc.sources.source import Cursor, SourceError

# TMDB tells the changes of no more days at once.
CHANGES_DAYS_MAX = 14


class Place(BaseModel):
    """The stage of a plan and how far that is.

    `page` counts from 1 and is the next one; `position` says how many entries of a page or of an export are done, `day`
    is that of the export. `start` and `end` are the days that changes are asked for, `bar` is the popularity from which
    a changed title is brought. `overdue` says that everything is brought although changes were asked for.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Literal["full", "changes"] = "full"
    stage: int = 0
    page: int = 1
    position: int = 0
    day: date | None = None
    start: date | None = None
    end: date | None = None
    bar: float | None = None
    overdue: bool = False

    @staticmethod
    def of(cursor: Cursor, mode: Mode, since: datetime | None, today: date) -> Place:
        if cursor:
            return _read(cursor)
        if mode is Mode.FULL or since is None:
            return Place()
        # Another process wrote it, whose clock may be ahead; a start after the end would be refused.
        start = min(since.astimezone(UTC).date(), today)
        if (today - start).days > CHANGES_DAYS_MAX:
            return Place(overdue=True)
        return Place(plan="changes", start=start, end=today)

    def at(self, **moved: Any) -> Place:
        return self.model_copy(update=moved)

    def next_stage(self) -> Place:
        kept = {"plan", "start", "end", "overdue"}
        return Place(**self.model_dump(include=kept), stage=self.stage + 1)

    def step(self, told: str) -> str:
        return f"everything, as the last sync is too long ago for changes: {told}" if self.overdue else told

    def cursor(self) -> Cursor:
        written: Mapping[str, Any] = self.model_dump(mode="json", exclude_defaults=True)
        # Never empty, which would be the beginning.
        return {**written, "plan": self.plan}


def _read(cursor: Cursor) -> Place:
    try:
        return Place.model_validate(dict(cursor))
    except ValidationError as error:
        raise SourceError("Where this sync was cannot be read by this version: start another one.") from error
