"""One search engine, measured in a process of its own and on one core.

    python -m benchmarks.search_measure ENGINE FOLDER SECONDS ROUNDS

`FOLDER` is a working folder that `benchmarks.search` has filled. Prints the figures as a line of JSON.
"""

import ctypes
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase, digits

import psutil

from benchmarks.search_data import Query
from benchmarks.search_engines import ENGINES
from benchmarks.search_figures import Figures, Latency, Recall
from benchmarks.search_peers import Engine
from benchmarks.search_work import Work

WARM_UP = 100
# Of an engine's seconds, for either length of prefix.
PREFIX_SHARE = 0.1
ONE = list(ascii_lowercase + digits)
TWO = [first + second for second in ONE for first in ONE]
ONE_ROUNDS = 20


@dataclass(frozen=True)
class Memory:
    """Of this process, in MiB, after all that is free was given back."""

    own: float
    mapped: float

    @classmethod
    def now(cls) -> "Memory":
        gc.collect()
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        info = psutil.Process().memory_info()
        return cls((info.rss - info.shared) / 2**20, info.shared / 2**20)


def measure(engine: Engine, work: Work, seconds: float, rounds: int) -> Figures:
    """All figures of an engine. Each round has so many seconds for the queries: a slow engine answers fewer."""
    before = Memory.now()
    built = engine.build(work)
    queries = work.queries()
    texts = [engine.typed(query.text) for query in queries]
    run(engine.search, texts[:WARM_UP], seconds)
    scoring = Scoring(engine, queries)
    latencies = [run(engine.search, texts, seconds, scoring.seen)]
    latencies += [run(engine.search, texts, seconds) for _ in range(rounds - 1)]
    one = run(engine.search, ONE * ONE_ROUNDS, seconds * PREFIX_SHARE)
    two = run(engine.search, TWO, seconds * PREFIX_SHARE)
    work.keep_failures(scoring.failures)
    recalls = {noise: Recall.of(places) for noise, places in scoring.places.items()}
    del queries, texts, scoring
    after = Memory.now()
    return Figures(
        engine=engine.name,
        build_seconds=built.seconds,
        build_memory_mib=built.memory_mib,
        own_mib=after.own - before.own,
        mapped_mib=after.mapped - before.mapped,
        file_mib=built.file_mib,
        queries=Latency.median(latencies),
        one=one,
        two=two,
        recalls=recalls,
    )


class Scoring:
    """Where expected answers stood, by kind of noise, and the queries that found something else."""

    def __init__(self, engine: Engine, queries: list[Query]) -> None:
        self._engine = engine
        self._queries = queries
        self.places: dict[str, list[int]] = {}
        self.failures: list[tuple[Query, list[str]]] = []

    def seen(self, number: int, answer: object) -> None:
        query, names = self._queries[number], self._engine.names(answer)
        place = names.index(query.expected) + 1 if query.expected in names else 0
        self.places.setdefault(query.noise, []).append(place)
        if not place:
            self.failures.append((query, names))


def run(
    search: Callable[[str], object],
    texts: list[str],
    seconds: float,
    seen: Callable[[int, object], None] = lambda number, answer: None,
) -> Latency:
    """Searches one after the other until the time is up; `seen` gets each answer, outside the time that is counted."""
    taken = []
    until = time.perf_counter() + seconds
    for number, text in enumerate(texts):
        begun = time.perf_counter_ns()
        answer = search(text)
        taken.append(time.perf_counter_ns() - begun)
        seen(number, answer)
        if time.perf_counter() > until:
            break
    return Latency.of(taken)


if __name__ == "__main__":
    name, folder, seconds, rounds = sys.argv[1:]
    os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    figures = measure(ENGINES[name](), Work(Path(folder)), float(seconds), int(rounds))
    print(json.dumps(figures.to_json()))
