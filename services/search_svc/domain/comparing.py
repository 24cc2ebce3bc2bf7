"""How alike the answers of two indexes are, and when that is not enough."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from services.search_svc.domain.entries import TITLE_KINDS, Kind
from services.search_svc.domain.found import Hit

QUERIES_MAX = 1000
ANSWERS_COMPARED = 10
DIFFERENCES_MAX = 10

AGREEMENT_MIN = 0.7
EMPTIED_MAX = 0.05
LOST_ENTRIES_MAX = 0.2
P99_GROWTH_MAX = 2.0
P99_US_HARMLESS = 5000


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that somebody asked, and the kinds of entries that were wanted; none mean all."""

    query: str
    kinds: frozenset[Kind] = frozenset()


@dataclass(frozen=True, slots=True)
class Replayed:
    """A query that both indexes answered: their first answers as resource names, and how long each took."""

    query: str
    baseline: tuple[str, ...]
    candidate: tuple[str, ...]
    likeness: float | None
    baseline_us: float
    candidate_us: float

    @property
    def emptied(self) -> bool:
        return bool(self.baseline) and not self.candidate

    @property
    def difference(self) -> float:
        """0 to 1."""
        return 1.0 if self.emptied else 1.0 - (1.0 if self.likeness is None else self.likeness)


@dataclass(frozen=True, slots=True)
class Difference:
    """A query whose answers differ; the first answers of both indexes as resource names."""

    query: str
    baseline: tuple[str, ...]
    candidate: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An index compared with the version `baseline`; shares are 0 to 1, times in microseconds."""

    baseline: int
    queries: int
    agreement: float
    emptied: float
    lost_entries: float
    baseline_p99_us: int
    p99_us: int
    differences: tuple[Difference, ...] = ()

    @property
    def refusal(self) -> str:
        """Why the index must not serve, as a sentence with the figures; empty when it may."""
        faults = list(self._faults())
        if not faults:
            return ""
        told = "; ".join(faults)
        return f"Compared with index version {self.baseline}: {told}. Activate it if that is as it should be."

    def _faults(self) -> Iterator[str]:
        if self.agreement < AGREEMENT_MIN:
            yield f"first answers agree to {self.agreement:.2f}, at least {AGREEMENT_MIN} is wanted"
        if self.emptied > EMPTIED_MAX:
            yield f"{self.emptied:.1%} of the queries have no answer any more, at most {EMPTIED_MAX:.0%} may"
        if self.lost_entries > LOST_ENTRIES_MAX:
            yield f"{self.lost_entries:.1%} of its entries are missing, at most {LOST_ENTRIES_MAX:.0%} may"
        if self.p99_us > P99_US_HARMLESS and self.p99_us > P99_GROWTH_MAX * self.baseline_p99_us:
            times = f"{self.p99_us / 1000:.1f} ms instead of {self.baseline_p99_us / 1000:.1f} ms"
            limits = f"at most twice that or {P99_US_HARMLESS / 1000:.0f} ms are wanted"
            yield f"the 99th percentile of a query's time is {times}, {limits}"

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> "Comparison":
        """Reads what `dataclasses.asdict` and JSON made of a comparison."""
        differences = tuple(
            Difference(one["query"], tuple(one["baseline"]), tuple(one["candidate"])) for one in told["differences"]
        )
        return Comparison(**{**told, "differences": differences})


def summed(baseline: int, replayed: Sequence[Replayed], lost_entries: float) -> Comparison:
    """All queries together. A query that says nothing about agreement does not count for it; none at all are agreed."""
    likenesses = [one.likeness for one in replayed if one.likeness is not None]
    return Comparison(
        baseline=baseline,
        queries=len(replayed),
        agreement=sum(likenesses) / len(likenesses) if likenesses else 1.0,
        emptied=sum(one.emptied for one in replayed) / len(replayed) if replayed else 0.0,
        lost_entries=lost_entries,
        baseline_p99_us=round(p99([one.baseline_us for one in replayed])),
        p99_us=round(p99([one.candidate_us for one in replayed])),
        differences=_differences(replayed),
    )


def likeness(baseline: Sequence[str], candidate: Sequence[str], depth: int = ANSWERS_COMPARED) -> float | None:
    """How many of the first answers are the same, 0 to 1; `depth` is how many first ones are compared.

    Both lists hold entries that both indexes have. None when neither has any: the query says nothing about these.
    """
    one, other = set(baseline[:depth]), set(candidate[:depth])
    if not one and not other:
        return None
    return len(one & other) / max(len(one), len(other))


def p99(times: Sequence[float]) -> float:
    """The 99th percentile by nearest rank; 0 of nothing."""
    return sorted(times)[ceil(0.99 * len(times)) - 1] if times else 0.0


def resource_name(hit: Hit) -> str:
    """`titles/{id}`, `characters/{id}` or `actors/{id}`."""
    collection = "titles" if hit.kind in TITLE_KINDS else f"{hit.kind.value}s"
    return f"{collection}/{hit.id}"


def _differences(replayed: Sequence[Replayed]) -> tuple[Difference, ...]:
    """The queries whose answers differ most, each once, the worst first."""
    differing = {
        Difference(one.query, one.baseline, one.candidate): one.difference for one in replayed if one.difference > 0
    }
    worst = sorted(differing, key=lambda one: (-differing[one], one.query))
    return tuple(worst[:DIFFERENCES_MAX])
