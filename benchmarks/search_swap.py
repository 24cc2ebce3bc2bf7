"""What a new index does to queries: while another process builds it, and when it is loaded and swapped in.

    python -m benchmarks.search_swap FOLDER SECONDS

Queries run one after the other on an event loop, as in the service. A latency is the time from one answer to the next,
so that it counts whatever holds up the loop. `FOLDER` is a working folder whose index is there. Prints a line of JSON.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Iterator
from itertools import cycle
from pathlib import Path

from benchmarks.search_figures import Latency, Swap
from benchmarks.search_peers import HITS
from benchmarks.search_work import Work
from services.search_svc.index.index import Index
from services.search_svc.versions.build import NICENESS

LOADS = 10
LOAD_INTERVAL_SECONDS = 1.0


class Queries:
    """Asks without a pause, of the index that is in service at that moment."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._texts: Iterator[str] = cycle([query.text for query in work.queries()])
        self._index = Index.open(work.index)

    async def swap(self, seconds: float) -> Swap:
        steady = await self._during(asyncio.sleep(seconds))
        building = await self._during(self._build())
        loading = await self._during(self._load())
        return Swap(steady, building, loading)

    async def _during(self, work: Awaitable[None]) -> Latency:
        """Latencies while the work is done."""
        working = asyncio.ensure_future(work)
        await asyncio.sleep(0)
        taken: list[int] = []
        before = time.perf_counter_ns()
        while not working.done():
            self._index.search(next(self._texts), limit=HITS)
            await asyncio.sleep(0)
            now = time.perf_counter_ns()
            taken.append(now - before)
            before = now
        await working
        return Latency.of(taken)

    async def _build(self) -> None:
        """One build in a process that gives way to this one, as the service does it."""
        command = ["nice", "-n", str(NICENESS), sys.executable, "-m", "benchmarks.search_build", str(self._work.folder)]
        building = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
        if await building.wait():
            raise RuntimeError("the index could not be built")

    async def _load(self) -> None:
        """Loads the index in a thread and swaps it in, once a second: each time its pages are new to this process."""
        for _ in range(LOADS):
            self._index = await asyncio.to_thread(Index.open, self._work.index)
            await asyncio.sleep(LOAD_INTERVAL_SECONDS)


if __name__ == "__main__":
    folder, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(Queries(Work(Path(folder))).swap(float(seconds))).to_json()))
