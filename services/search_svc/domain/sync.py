"""Syncs: titles and characters on their way into the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from runtime.errors import AlreadyExists, FailedPrecondition

TITLES_MAX_DEFAULT = 2000
FAULTS_KEPT_MAX = 50
FILE_PREFIX = "file:"


class Mode(StrEnum):
    """How much a sync brings."""

    FULL = "full"
    CHANGES = "changes"


class State(StrEnum):
    """How far a sync is: the first two are live, the others over; one that failed or was cancelled can be resumed."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Format(StrEnum):
    """How the rows of a file are written."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Upload:
    """What an uploaded file is."""

    format: Format
    gzip: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for; `mode` None leaves it to what was brought before, `titles_max` is per kind."""

    id: UUID
    source: str
    mode: Mode | None = None
    titles_max: int = TITLES_MAX_DEFAULT
    upload: Upload | None = None


@dataclass(frozen=True, slots=True)
class Sync:
    """A sync; `source` is "tmdb", "jikan", or "file:" and the collection.

    `cursor` is where its source goes on; `done` and `total` count the units of this `step`; `faults` are the first,
    each a place and a description; `error` is a sentence and empty unless it failed.
    """

    id: UUID
    source: str
    mode: Mode
    titles_max: int
    created: datetime
    upload: Upload | None = None
    state: State = State.QUEUED
    cancel_requested: bool = False
    cursor: Mapping[str, Any] = field(default_factory=dict)
    step: str = ""
    done: int = 0
    total: int = 0
    titles_kept: int = 0
    characters_kept: int = 0
    titles_removed: int = 0
    faults_total: int = 0
    faults: tuple[tuple[str, str], ...] = ()
    error: str = ""
    index_version: int | None = None
    ended: datetime | None = None

    @property
    def live(self) -> bool:
        return self.state in (State.QUEUED, State.RUNNING)

    @property
    def collection(self) -> str:
        """What a file's titles are called together; empty for other sources."""
        return self.source.removeprefix(FILE_PREFIX) if self.source.startswith(FILE_PREFIX) else ""

    @property
    def changed_anything(self) -> bool:
        return self.titles_kept + self.characters_kept + self.titles_removed > 0

    def answers(self, order: Order) -> Sync:
        """Itself, when it is what an earlier call with this order began; ALREADY_EXISTS when that asked for another."""
        if (self.source, self.titles_max, self.upload) == (order.source, order.titles_max, order.upload):
            return self
        raise AlreadyExists(
            "This request_id was used for another request; a new request needs a new one.",
            reason="REQUEST_ID_REUSED",
            metadata={"request_id": str(order.id)},
        )

    def cancelled(self, now: datetime) -> Sync:
        """What a request to end makes of it: the process at work has to be asked, nobody else."""
        if self.state is State.QUEUED:
            return self.over(State.CANCELLED, now)
        return replace(self, cancel_requested=True) if self.state is State.RUNNING else self

    def resumed(self) -> Sync:
        """What goes on from where it was. FAILED_PRECONDITION when it has nothing left to do."""
        if self.state is State.SUCCEEDED:
            raise FailedPrecondition(
                "This sync succeeded and has nothing left to do; start another one.",
                reason="SYNC_SUCCEEDED",
                metadata={"sync": f"syncs/{self.id}"},
            )
        if self.live:
            return self
        return replace(self, state=State.QUEUED, cancel_requested=False, error="", ended=None)

    def over(self, state: State, now: datetime, error: str = "") -> Sync:
        return replace(self, state=state, error=error, ended=now)


def begun(order: Order, now: datetime, *, full_before: bool) -> Sync:
    """What an order begins. Changes are brought where everything was brought before, and otherwise everything."""
    mode = order.mode or Mode.CHANGES
    return Sync(
        id=order.id,
        source=order.source,
        mode=mode if full_before else Mode.FULL,
        titles_max=order.titles_max,
        created=now,
        upload=order.upload,
    )
