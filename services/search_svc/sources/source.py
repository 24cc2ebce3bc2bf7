"""What every source of titles is to a sync."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.search_svc.domain.entries import Title
from services.search_svc.domain.sync import Mode

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Cursor = Mapping[str, Json]


class SourceError(Exception):
    """The source cannot go on for now; the message is a sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that could not be used and was passed over: where it stands, and what is wrong, as a sentence."""

    place: str
    description: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What one step brought. It is written in one transaction with `cursor`, from which a later run goes on after it.

    `removed` are ids of titles that the source has no more, `popularity` new values for titles that may be there.
    """

    cursor: Cursor
    step: str
    done: int
    total: int
    titles: tuple[Title, ...] = ()
    removed: tuple[str, ...] = ()
    popularity: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


class Source(Protocol):
    """Where titles come from. `name` is unique: "tmdb", "jikan", "file:" and the collection."""

    @property
    def name(self) -> str: ...

    @property
    def precedence(self) -> int:
        """Of one title in two sources, the lower precedence is believed; what ships with the service has 0."""
        ...

    @property
    def complete(self) -> bool:
        """Whether a sync brings everything there is, so that what it did not bring is removed at its end."""
        ...

    def batches(self, mode: Mode, cursor: Cursor, titles_max: int, since: datetime | None) -> AsyncIterator[Batch]:
        """Goes on after `cursor` (empty: from the beginning). SourceError when it has to give up.

        `titles_max` is per kind; `since` is when the last sync that succeeded began, for CHANGES.
        """
        ...
