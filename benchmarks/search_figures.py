"""What is measured of a search engine, as its process says it and the table shows it."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recall:
    """How good answers were: `found` of `asked` held what was expected; `reciprocal` is the sum of 1 / its place."""

    asked: int = 0
    found: int = 0
    reciprocal: float = 0.0

    @classmethod
    def of(cls, places: Iterable[int]) -> "Recall":
        """A place is 1 for the first hit and 0 for none."""
        counted = list(places)
        found = [place for place in counted if place]
        return cls(len(counted), len(found), sum(1 / place for place in found))

    def __add__(self, other: "Recall") -> "Recall":
        return Recall(self.asked + other.asked, self.found + other.found, self.reciprocal + other.reciprocal)

    @property
    def share(self) -> float:
        return self.found / max(1, self.asked)

    @property
    def rank(self) -> float:
        """The mean reciprocal rank."""
        return self.reciprocal / max(1, self.asked)


@dataclass(frozen=True)
class Latency:
    """Of so many calls, one after the other, of which `per_second` fit into a second."""

    p50_ms: float
    p99_ms: float
    per_second: float
    calls: int

    @classmethod
    def of(cls, taken_ns: list[int]) -> "Latency":
        ranked = sorted(taken_ns)
        p99 = ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)]
        return cls(statistics.median(ranked) / 1e6, p99 / 1e6, len(ranked) / sum(ranked) * 1e9, len(ranked))

    @classmethod
    def median(cls, rounds: list["Latency"]) -> "Latency":
        """The median of each figure over several rounds."""
        return cls(
            statistics.median(one.p50_ms for one in rounds),
            statistics.median(one.p99_ms for one in rounds),
            statistics.median(one.per_second for one in rounds),
            rounds[0].calls,
        )


@dataclass(frozen=True)
class Figures:
    """Of one engine. Memory is what its process grew by, after all queries: its own, and what it has mapped of a file.

    `one` and `two` are the latencies of prefixes of so many characters; `recalls` go by kind of noise.
    """

    engine: str
    build_seconds: float
    build_memory_mib: float
    own_mib: float
    mapped_mib: float
    file_mib: float
    queries: Latency
    one: Latency
    two: Latency
    recalls: dict[str, Recall]

    @property
    def memory_mib(self) -> float:
        return self.own_mib + self.mapped_mib

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Figures":
        latencies = {name: Latency(**said[name]) for name in ("queries", "one", "two")}
        recalls = {noise: Recall(**one) for noise, one in said["recalls"].items()}
        return cls(**{**said, **latencies, "recalls": recalls})

    def recall(self, *noises: str) -> Recall:
        """Of those kinds together, or of all when there are none."""
        kept = [one for noise, one in self.recalls.items() if not noises or noise in noises]
        return sum(kept, start=Recall())


@dataclass(frozen=True)
class Swap:
    """Latencies of queries without a swap, while an index is built, and while one is loaded and swapped in."""

    steady: Latency
    building: Latency
    loading: Latency

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: dict[str, Any]) -> "Swap":
        return cls(**{phase: Latency(**one) for phase, one in said.items()})
