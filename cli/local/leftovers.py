"""Processes that a supervisor which was killed could not stop, found again by what it had written down."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

# A process id is given out again; together with the time at which the process began it is not. The time is derived
# from the boot time, which the kernel corrects by a little.
CREATED_TOLERANCE_SECONDS = 2.0
KILLED_SECONDS_MAX = 10.0


def created(pid: int) -> float:
    """When a process began, in seconds since the epoch; 0 when it is gone already."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return 0.0


def alive(pid: int, created: float) -> psutil.Process | None:
    """The process with this id if it is the one that began then and still runs."""
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - created) < CREATED_TOLERANCE_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def note(file: Path, pid: int) -> None:
    """Writes a process down."""
    file.write_text(f"{pid} {created(pid)}")


def noted(run: Path) -> list[psutil.Process]:
    """The processes which are written down in `run/*.pid` and still run."""
    found = []
    for file in sorted(run.glob("*.pid")):
        with suppress(ValueError):
            pid, began = file.read_text().split()
            if process := alive(int(pid), float(began)):
                found.append(process)
    return found


def end(processes: Sequence[psutil.Process]) -> None:
    """Kills processes and all that they started, and waits until they are gone. What they keep is safe against that."""
    family: list[psutil.Process] = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            family += [process, *process.children(recursive=True)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=KILLED_SECONDS_MAX)
