"""Processes that come back, however often they are killed."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.02
# Who could not start finds what it needs a little later.
PAUSE_SECONDS = 0.1


class Member:
    """A process that is started again whenever it ends.

    `up` is set while it serves, which `ready` finds out. `faults` are the exit codes of those that were serving and
    ended without being killed.
    """

    def __init__(
        self,
        name: str,
        start: Callable[[], Awaitable[Process]],
        ready: Callable[[Process], Awaitable[bool]],
        *,
        stop_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = name
        self.up = asyncio.Event()
        self.kills = 0
        self.faults: list[int] = []
        self._start = start
        self._ready = ready
        self._stop_signal = stop_signal
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """None while it is dead."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def kill(self) -> None:
        """kill -9, whatever it is doing; nothing where it is dead already."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            self.kills += 1

    async def run(self) -> None:
        """Keeps it alive until cancelled, then ends it."""
        while True:
            await self._live()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _live(self) -> None:
        self._process = process = await self._start()
        try:
            while process.returncode is None and not await self._ready(process):
                await asyncio.sleep(POLL_SECONDS)
            if process.returncode is None:
                self.up.set()
            code = await process.wait()
            if self.up.is_set() and code != -signal.SIGKILL:
                self.faults.append(code)
        finally:
            self.up.clear()
            if process.returncode is None:
                process.send_signal(self._stop_signal)
                await process.wait()
