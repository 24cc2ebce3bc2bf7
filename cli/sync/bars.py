"""The steps of a sync as progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from cli.text import printable

# What a step is called, how much of it is done, and of how much; 0 when that is not known yet.
Step = Callable[[str, int, int], None]


@contextmanager
def bars(hidden: bool) -> Iterator[Step]:
    """A bar for each step, one below the other, on a terminal; elsewhere nothing."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal) as progress:
        tasks = {"": progress.add_task("", visible=False)}

        def step(name: str, done: int, total: int) -> None:
            if name not in tasks:
                before = progress.tasks[-1]
                progress.update(before.id, total=before.completed)
                progress.stop_task(before.id)
                tasks[name] = progress.add_task(printable(name), total=None)
            progress.update(tasks[name], completed=done, total=total or None)

        yield step
