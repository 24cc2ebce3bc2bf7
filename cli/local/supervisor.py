"""Starts the parts of a stack in their order, watches them, and stops them in reverse."""

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from time import monotonic

from cli.local import leftovers
from cli.local.console import Console
from cli.local.failure import Failure
from cli.local.logs import last_words
from cli.local.part import Part, dependents
from cli.local.process import Process, start
from cli.local.state import Running, Stack, State

READY_POLL_SECONDS = 0.03
GRACE_SECONDS = 20.0
# A process that ends so many times within so long is in a loop, and starting it again only hides why.
RESTARTS_MAX = 5
RESTARTS_WINDOW_SECONDS = 30.0
BACKOFF_SECONDS = 0.2


class Supervisor:
    """One stack while it runs."""

    def __init__(self, state: State, parts: Sequence[Part], url: str, console: Console) -> None:
        self._state = state
        self._parts = {part.name: part for part in parts}
        self._url = url
        self._console = console
        self._serving = {part.name: asyncio.Event() for part in parts}
        self._processes: dict[str, Process] = {}
        self._addresses: dict[str, str] = {}
        self._restarts: dict[str, int] = {part.name: 0 for part in parts}
        self._healthy = False

    async def run(self) -> None:
        """Runs the stack until it is cancelled. Raises an ExceptionGroup of Failure when a part cannot go on."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for part in self._parts.values():
                    tasks.create_task(self._keep(part))
                tasks.create_task(self._greet())
        finally:
            await self._stop()

    async def _keep(self, part: Part) -> None:
        """Starts a part once those that it needs serve, and again when it ends."""
        for name in part.after:
            await self._serving[name].wait()
        began = monotonic()
        await part.prepare()
        ends: deque[float] = deque(maxlen=RESTARTS_MAX)
        while True:
            process = await self._start(part)
            if not self._serving[part.name].is_set():
                self._serving[part.name].set()
                self._console.step(part.name, monotonic() - began)
            code = await process.wait()
            said = last_words(self._state.log(part.name))
            ends.append(monotonic())
            looping = len(ends) == RESTARTS_MAX and ends[-1] - ends[0] < RESTARTS_WINDOW_SECONDS
            if looping or not part.restarts:
                raise Failure(f"{part.name} ended ({_code(code)}): {said}")
            self._console.problem(f"{part.name} ended ({_code(code)}) and is started again: {said}")
            self._restarts[part.name] += 1
            await asyncio.sleep(BACKOFF_SECONDS * len(ends))

    async def _start(self, part: Part) -> Process:
        """Starts it and waits until it serves."""
        log = self._state.log(part.name)
        process = await start(part.launch(self._addresses), log)
        self._processes[part.name] = process
        leftovers.note(self._state.run / f"{part.name}.pid", process.pid)
        ending = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(part.ready_seconds_max):
                while (address := await part.ready(process.pid)) is None:
                    if ending.done():
                        raise Failure(f"{part.name} did not start ({_code(ending.result())}): {last_words(log)}")
                    await asyncio.wait({ending}, timeout=READY_POLL_SECONDS)
        except TimeoutError as error:
            raise Failure(f"{part.name} does not serve after {part.ready_seconds_max:.0f} s: see {log}.") from error
        finally:
            ending.cancel()
        self._addresses[part.name] = address
        self._tell()
        return process

    async def _greet(self) -> None:
        for serving in self._serving.values():
            await serving.wait()
        self._healthy = True
        self._tell()
        self._console.healthy(self._url, self._addresses.get("stripe"))

    def _tell(self) -> None:
        """Writes stack.json."""
        running = {
            name: Running(
                process.pid, leftovers.created(process.pid), self._addresses.get(name, ""), self._restarts[name]
            )
            for name, process in self._processes.items()
        }
        own = Running(os.getpid(), leftovers.created(os.getpid()), self._url)
        self._state.write(Stack(self._url, self._healthy, own, running))

    async def _stop(self) -> None:
        """Ends everything: what others need only after those others."""
        self._state.forget()
        stopped = {name: asyncio.Event() for name in self._processes}

        async def stop(name: str, process: Process) -> None:
            for dependent in dependents(list(self._parts.values()), name):
                if dependent in stopped:
                    await stopped[dependent].wait()
            await process.stop(GRACE_SECONDS)
            (self._state.run / f"{name}.pid").unlink(missing_ok=True)
            stopped[name].set()

        try:
            async with asyncio.TaskGroup() as tasks:
                for name, process in self._processes.items():
                    tasks.create_task(stop(name, process))
        except asyncio.CancelledError:
            # A second Ctrl-C: whoever sent it does not want to wait.
            for process in self._processes.values():
                process.kill()
            await asyncio.gather(*(process.wait() for process in self._processes.values()))
            raise


def _code(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
