"""Virtual time: an event loop whose clock jumps to the next timer when nothing is ready.

Nothing waits for anything outside, and every choice comes from seeded generators of random numbers, so that the same
schedule runs the same way each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

Value = TypeVar("Value")

# So many rounds without a moment passing, and something runs in circles.
ROUNDS_MAX = 20_000
# So many rounds in which whoever is cancelled may still go on with what stands in its `finally`.
DYING_ROUNDS_MAX = 50

EPOCH = datetime(2030, 1, 1, tzinfo=UTC)


class StuckError(Exception):
    """Nothing will ever happen again, or something happens for ever."""


class Jumping(selectors.BaseSelector):
    """Waits for no file: the clock jumps over the time for which a loop would wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise StuckError("nothing will ever happen again")
        if timeout > 0:
            self.now += timeout
            self._rounds = 0
        self._rounds += 1
        if self._rounds > ROUNDS_MAX:
            raise StuckError(f"no time passes at {self.now:.3f} s")
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}


class Group:
    """The tasks of one process, in the order in which they began; those that they begin are its own, too."""

    def __init__(self) -> None:
        self.tasks: dict[asyncio.Task[Any], None] = {}

    async def kill(self) -> None:
        """Ends all of them where they stand."""
        for _ in range(DYING_ROUNDS_MAX):
            if not self.tasks:
                return
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)
        raise StuckError(f"outlives its process: {list(self.tasks)}")


class World(asyncio.SelectorEventLoop):
    """`defects` are what no task answers for."""

    def __init__(self) -> None:
        self._jumping = Jumping()
        self.defects: list[str] = []
        self._groups: dict[asyncio.Task[Any], Group] = {}
        self._entered: Group | None = None
        super().__init__(self._jumping)
        self.set_task_factory(self._begun)
        self.set_exception_handler(self._failed)

    def time(self) -> float:
        return self._jumping.now

    def clock(self) -> datetime:
        """The present in UTC."""
        return EPOCH + timedelta(seconds=self.time())

    def spawn(self, group: Group, work: Coroutine[Any, Any, Value]) -> asyncio.Task[Value]:
        """Begins a task of a process from without."""
        self._entered = group
        try:
            return self.create_task(work)
        finally:
            self._entered = None

    def live(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Runs until the work is done; the world ends with it."""
        try:
            return self.run_until_complete(work)
        finally:
            self._end()

    def _end(self) -> None:
        """What a world that got stuck leaves behind is cancelled."""
        asyncio.set_event_loop(None)
        while left := [task for task in asyncio.all_tasks(self) if not task.done()]:
            for task in left:
                task.cancel()
            with suppress(asyncio.CancelledError, StuckError):
                self.run_until_complete(asyncio.wait(left))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    def _begun(self, _: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=self, **options)
        parent = asyncio.current_task(self)
        group = self._entered or (self._groups.get(parent) if parent is not None else None)
        if group is not None:
            group.tasks[task] = None
            self._groups[task] = group
            task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._groups.pop(task).tasks.pop(task)

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.defects.append(f"{context['message']}: {context.get('exception')!r}")
