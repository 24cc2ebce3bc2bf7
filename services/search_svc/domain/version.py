"""Index versions."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from runtime.errors import FailedPrecondition
from services.search_svc.domain.comparing import Comparison

# So many versions stay on disk, of those that are fit to serve and, apart from them, of those that were refused.
KEPT_MAX = 3


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an index holds."""

    titles: int = 0
    characters: int = 0
    actors: int = 0

    @property
    def entries(self) -> int:
        return self.titles + self.characters + self.actors


@dataclass(frozen=True, slots=True)
class Summary:
    """An index file that was written."""

    version: int
    checksum: str
    size_bytes: int
    counts: Counts = field(default_factory=Counts)


class State(StrEnum):
    """What became of an index version."""

    BUILDING = "building"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"
    REMOVED = "removed"


# Why a version that is not on disk cannot serve.
UNUSABLE = {
    State.BUILDING: "is still being built",
    State.FAILED: "was never finished",
    State.REMOVED: "is not on disk any more",
}


@dataclass(frozen=True, slots=True)
class Version:
    """An index version: `error` is a sentence or empty, `activated_by` an operator's id or empty for the service."""

    number: int
    state: State
    created: datetime
    active: bool = False
    checksum: str = ""
    size_bytes: int = 0
    counts: Counts = field(default_factory=Counts)
    comparison: Comparison | None = None
    error: str = ""
    build_time: timedelta = timedelta()
    activated: datetime | None = None
    activated_by: str = ""

    def check_on_disk(self) -> None:
        """FAILED_PRECONDITION when there is no file that could serve."""
        if self.state in UNUSABLE:
            raise unusable(self.number, UNUSABLE[self.state])


def unusable(number: int, why: str) -> FailedPrecondition:
    return FailedPrecondition(
        f"Index version {number} cannot serve: it {why}.",
        reason="INDEX_VERSION_UNUSABLE",
        metadata={"index_version": f"indexVersions/{number}"},
    )


@dataclass(frozen=True, slots=True)
class Order:
    """A build that was begun: the version's number, and number and checksum of that in service, if there is one."""

    number: int
    baseline: int | None = None
    baseline_checksum: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """A build that wrote its file. Without a comparison there was nothing in service to compare it with."""

    summary: Summary
    comparison: Comparison | None = None

    @property
    def refusal(self) -> str:
        """Why the version must not serve, as a sentence; empty when it may."""
        return self.comparison.refusal if self.comparison is not None else ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A build that came to nothing: why, as a sentence that says what to do; `again` when that is to build anew."""

    error: str
    again: bool = False


Outcome = Built | Failed


@dataclass(frozen=True, slots=True)
class Activation:
    """An index version that is put into service; `activated_by` is an operator's id, or empty for the service."""

    version: int
    replaced: int | None
    entries: int
    activated_by: str


@dataclass(frozen=True, slots=True)
class ServingStatus:
    """What a replica serves; `degraded` says why that is not the active version, as a sentence, or is empty."""

    version: int
    loaded: datetime
    degraded: str = ""
