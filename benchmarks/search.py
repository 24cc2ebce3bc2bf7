"""How fast and how well names are found: search_svc beside SQLite, tantivy, rapidfuzz and a radix trie.

    python -m benchmarks.search DATA [--entries 144000,1000000] [--queries N] [--write docs/performance.md]

`DATA` is a folder with catalogues and noisy queries, which is no part of this repository. All engines get the same
entries and queries, each in a process of its own and on one core. All together, a swap of the index and the calls over
gRPC are measured too, these with the first number of entries; `--engine` measures some engines alone.
"""

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import report, search_calls, search_data
from benchmarks.search_figures import Figures, Swap
from benchmarks.search_names import Names
from benchmarks.search_work import Work

ENGINES = ("sqlite", "tantivy", "fuzz", "trie", "ours")
QUERIES = "derived/queries_noisy.csv.gz"
ROUNDS = 3
STEADY_SECONDS = 8
CALL_SECONDS = 3
# The entries that are chosen; what goes beyond them has other sources.
REAL = 144_000


def main(options: argparse.Namespace) -> int:
    if options.data is None or not (options.data / QUERIES).exists():
        print(
            f"The folder of the data is missing: give one that has {QUERIES}, as python -m benchmarks.search DATA.",
            file=sys.stderr,
        )
        return 2
    for number, entries in enumerate(options.entries):
        with tempfile.TemporaryDirectory() as folder:
            work = Work(Path(folder))
            count = prepare(work, options, entries)
            figures = [measured(name, work, options.seconds) for name in options.engine]
            if options.failures:
                shutil.copy(work.failures, options.failures)
            whole = options.engine == list(ENGINES)
            show(f"search {entries}", report.search(count, figures, swapped(work) if whole else None), options.write)
            if whole and number == 0:
                calls = asyncio.run(search_calls.measured(work, CALL_SECONDS, ROUNDS))
                show("search calls", report.suggest(calls), options.write)
    return 0


def prepare(work: Work, options: argparse.Namespace, entries: int) -> int:
    """Fills the working folder, and says how many entries there are now."""
    say(f"{entries:,} entries: reading")
    queries = search_data.queries(options.data, options.half)[: options.queries]
    chosen = search_data.chosen(options.data, min(entries, REAL))
    Names(options.data, chosen, entries).add()
    count = work.write(chosen.drafts.values(), queries, actors=options.actors)
    say(f"{count:,} entries, {len(queries):,} queries of the half to {options.half}")
    return count


def show(name: str, table: str, page: Path | None) -> None:
    """Prints a table, and writes it to the page if there is one."""
    print(table, end="\n\n", flush=True)
    if page:
        report.put(page, name, table)


def measured(name: str, work: Work, seconds: float) -> Figures:
    """The figures of an engine, from a process of its own."""
    say(f"{name}: begins")
    rounds = ROUNDS if name == "ours" else 1
    command = [sys.executable, "-m", "benchmarks.search_measure", name, str(work.folder), str(seconds), str(rounds)]
    figures = Figures.from_json(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    say(f"{name}: {figures.queries.per_second:,.0f} queries a second, recall {figures.recall().share:.3f}")
    return figures


def swapped(work: Work) -> Swap:
    """Latencies around a swap, from a process of its own."""
    say("swap: begins")
    command = [sys.executable, "-m", "benchmarks.search_swap", str(work.folder), str(STEADY_SECONDS)]
    swap = Swap.from_json(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    say(f"swap: p99 {swap.steady.p99_ms:.2f} ms, {swap.building.p99_ms:.2f} ms, {swap.loading.p99_ms:.2f} ms")
    return swap


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def engines(text: str) -> list[str]:
    """In their own order; ValueError when there is no such engine."""
    return sorted(text.split(","), key=ENGINES.index)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?", metavar="DATA", help="the folder of the data")
    parser.add_argument(
        "--entries", type=numbers, default=[144_000], help="how many, or several numbers: 144000,1000000"
    )
    parser.add_argument("--queries", type=int, help="at most so many; by default all of the half")
    parser.add_argument("--half", choices=search_data.HALVES, default="report", help="of the queries")
    parser.add_argument("--seconds", type=float, default=40, help="that an engine has for the queries, in each round")
    parser.add_argument("--engine", type=engines, default=list(ENGINES), help=f"some of {','.join(ENGINES)}")
    parser.add_argument("--actors", action="store_true", help="has search_svc find actors too")
    parser.add_argument("--failures", type=Path, help="writes what the last engine did not find to this file")
    parser.add_argument("--write", type=Path, help="the page whose tables are written anew")
    sys.exit(main(parser.parse_args()))
