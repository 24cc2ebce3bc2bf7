"""Answers that were given lately, ready to be sent again.

An answer belongs to the index it came from: with another index in service all of them go, and one that comes late is
not kept.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple, TypeVar, cast

from google.protobuf.message import Message
from opentelemetry import metrics

from runtime.telemetry import SCOPE

ENTRIES_MAX = 10_000
# Half a kilobyte each.
HITS_MAX = 100_000
LIFETIME_SECONDS = 300.0
DURATIONS_KEPT = 1000

Answer = TypeVar("Answer", bound=Message)


@dataclass(frozen=True, slots=True)
class Statistics:
    """How the cache does: `p50` and `p99` are of the last 1,000 queries that it did not answer, 0 without any."""

    queries: int = 0
    hits: int = 0
    entries: int = 0
    p50: timedelta = timedelta()
    p99: timedelta = timedelta()


class Entry(NamedTuple):
    """A kept answer, how many hits it may hold, and until when it is believed."""

    answer: Message
    hits_max: int
    until: float


class QueryCache:
    """The least lately used answers go first. `clock` is in seconds and never goes back."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        entries_max: int = ENTRIES_MAX,
        hits_max: int = HITS_MAX,
        lifetime_seconds: float = LIFETIME_SECONDS,
    ) -> None:
        self._clock = clock
        self._entries_max = entries_max
        self._hits_max = hits_max
        self._lifetime_seconds = lifetime_seconds
        self._version = 0
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._hits_held = 0
        self._hits = 0
        self._misses = 0
        self._durations: deque[float] = deque(maxlen=DURATIONS_KEPT)
        meter = metrics.get_meter(SCOPE)
        self._hits_told = meter.create_counter("search.cache.hits")
        self._misses_told = meter.create_counter("search.cache.misses")

    def swap(self, version: int) -> None:
        """Forgets all answers: from now on only those of this index version are kept."""
        self._version = version
        self._entries.clear()
        self._hits_held = 0

    def answer(self, version: int, key: Hashable, hits_max: int, make: Callable[[], Answer]) -> Answer:
        """The answer of this index version to a query, made unless it is kept. Nobody may change it.

        `hits_max` is how many hits it can have. An answer has one type to one key.
        """
        began = self._clock()
        entry = self._entries.get(key) if version == self._version else None
        if entry is not None and began < entry.until:
            self._entries.move_to_end(key)
            self._hits += 1
            self._hits_told.add(1)
            return cast("Answer", entry.answer)
        answer = make()
        ended = self._clock()
        self._misses += 1
        self._misses_told.add(1)
        self._durations.append(ended - began)
        if version == self._version:
            self._keep(key, Entry(answer, hits_max, ended + self._lifetime_seconds))
        return answer

    def statistics(self) -> Statistics:
        """Since this process started, but for the durations."""
        durations = sorted(self._durations)
        return Statistics(
            queries=self._hits + self._misses,
            hits=self._hits,
            entries=len(self._entries),
            p50=_percentile(durations, 50),
            p99=_percentile(durations, 99),
        )

    def _keep(self, key: Hashable, entry: Entry) -> None:
        if replaced := self._entries.pop(key, None):
            self._hits_held -= replaced.hits_max
        self._entries[key] = entry
        self._hits_held += entry.hits_max
        while len(self._entries) > self._entries_max or self._hits_held > self._hits_max:
            _, oldest = self._entries.popitem(last=False)
            self._hits_held -= oldest.hits_max


def _percentile(ordered: list[float], percent: int) -> timedelta:
    """The smallest value that so many percent of all do not exceed."""
    return timedelta(seconds=ordered[-(-len(ordered) * percent // 100) - 1]) if ordered else timedelta()
