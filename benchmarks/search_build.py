"""Builds the index of a working folder of `benchmarks.search`, given as argument; says what that took as JSON."""

import json
import resource
import sys
import time
from pathlib import Path

from benchmarks.search_work import Work, reading_seconds
from services.search_svc.index.build import build


def main(work: Work) -> None:
    """Time without that of reading the titles; memory is the most that the process ever had, its start taken off."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reading = reading_seconds(work.titles())
    begun = time.perf_counter()
    build(work.titles(), work.index, 1)
    seconds = time.perf_counter() - begun - reading
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "memory_mib": (peak - before) / 1024}))


if __name__ == "__main__":
    main(Work(Path(sys.argv[1])))
