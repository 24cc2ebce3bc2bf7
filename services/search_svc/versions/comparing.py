"""An index beside the one in service: both answer the same queries."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from services.search_svc.domain.comparing import (
    ANSWERS_COMPARED,
    Asked,
    Comparison,
    Replayed,
    likeness,
    resource_name,
    summed,
)
from services.search_svc.domain.found import HITS_MAX, Filter
from services.search_svc.domain.version import Order
from services.search_svc.index.index import Index
from services.search_svc.versions.files import Files, UnusableFile

# Of so many replays the middle one counts, so that a disturbance refuses no index.
REPLAYS = 3

# How far the answers are looked through for ten that both indexes have: a larger catalogue puts many in between.
DEPTHS = (ANSWERS_COMPARED, 100, HITS_MAX)


def compared(files: Files, order: Order, candidate: Index, queries: Sequence[Asked]) -> Comparison | None:
    """What a new index changes; None when nothing is in service that it could be compared with."""
    if order.baseline is None:
        return None
    try:
        baseline = files.opened(order.baseline, order.baseline_checksum)
    except UnusableFile:
        return None
    return compare(baseline, candidate, queries)


def compare(
    baseline: Index,
    candidate: Index,
    queries: Sequence[Asked],
    clock_ns: Callable[[], int] = time.thread_time_ns,
) -> Comparison:
    """What a new index changes. `clock_ns` counts a thread's own work, since a build works only when others rest."""
    replayed = [_replayed(baseline, candidate, asked, clock_ns) for asked in queries]
    return summed(baseline.version, replayed, _lost(baseline, candidate))


def _replayed(baseline: Index, candidate: Index, asked: Asked, clock_ns: Callable[[], int]) -> Replayed:
    times = [[_timed(index, asked, clock_ns) for index in (baseline, candidate)] for _ in range(REPLAYS)]
    old, old_depth = _common(baseline, candidate, asked)
    new, new_depth = _common(candidate, baseline, asked)
    return Replayed(
        query=asked.query,
        baseline=tuple(_answers(baseline, asked, ANSWERS_COMPARED)),
        candidate=tuple(_answers(candidate, asked, ANSWERS_COMPARED)),
        likeness=likeness(old, new, min(old_depth, new_depth)),
        baseline_us=median(one[0] for one in times),
        candidate_us=median(one[1] for one in times),
    )


def _common(index: Index, other: Index, asked: Asked) -> tuple[list[str], int]:
    """The first answers that the other index has, too, and how many of them can be compared.

    Where others stand among them, looser matches may not have been looked for: what is missing then says nothing.
    """
    for depth in DEPTHS:
        answers = list(_answers(index, asked, depth))
        common = [name for name in answers if other.has(name)]
        if len(common) >= ANSWERS_COMPARED or len(answers) < depth:
            break
    return common[:ANSWERS_COMPARED], len(common) if len(common) < len(answers) else ANSWERS_COMPARED


def _answers(index: Index, asked: Asked, limit: int) -> Iterator[str]:
    for hit in index.search(asked.query, Filter(kinds=asked.kinds), limit=limit):
        yield resource_name(hit)


def _timed(index: Index, asked: Asked, clock_ns: Callable[[], int]) -> float:
    """Microseconds that the query takes."""
    begin = clock_ns()
    index.search(asked.query, Filter(kinds=asked.kinds), limit=ANSWERS_COMPARED)
    return (clock_ns() - begin) / 1000


def _lost(baseline: Index, candidate: Index) -> float:
    """The share of the old index's entries that the new one does not have."""
    total = lost = 0
    for name in baseline.names():
        total += 1
        lost += not candidate.has(name)
    return lost / total if total else 0.0
