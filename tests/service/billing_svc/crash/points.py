"""Where a process may die by itself, and how it does."""

import asyncio
import os
import signal

POINTS = (
    "before the inbox",
    "after the inbox",
    "after the claim",
    "after the reading",
    "before the commit",
    "after the commit",
    "after the note",
    "after an effect",
)

DIED = "died "
MOMENT_SECONDS = 0.02


class Mortal:
    """kill -9 of this process, the `count`th time that it passes `point`; the empty point is never passed.

    It takes a moment to die, in which what was said too early is heard.
    """

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._count = count

    async def __call__(self, point: str) -> None:
        if point != self._point:
            return
        self._count -= 1
        if self._count == 0:
            print(f"{DIED}{point}", flush=True)  # noqa: T201 (its log is read)
            await asyncio.sleep(MOMENT_SECONDS)
            os.kill(os.getpid(), signal.SIGKILL)
