"""Starts a build as a process, and sees it to its end."""

import asyncio
import json
import os
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import structlog

from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.version import Failed, Order, Outcome
from services.search_svc.versions import wire

log = structlog.get_logger()

COMMAND = (sys.executable, "-m", "services.search_svc.versions.build")
BUILD_SECONDS_MAX = 3600.0
GRACE_SECONDS = 5.0
LINE_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class BuildProcess:
    """Builds into `directory` from the catalogue at `dsn`, for at most so long."""

    dsn: str = field(repr=False)
    directory: Path
    seconds_max: float = BUILD_SECONDS_MAX
    command: Sequence[str] = COMMAND

    async def __call__(self, order: Order, queries: Sequence[Asked]) -> Outcome:
        """What came of the build. When this is cancelled, the process ends, too."""
        process = await self._start(order)
        try:
            async with asyncio.timeout(self.seconds_max):
                outcome = await _talk(process, order, queries)
                code = await process.wait()
        except TimeoutError:
            limit = f"{self.seconds_max:g} seconds"
            return Failed(f"The build took longer than {limit}: see what else the machine does, then build again.")
        finally:
            await _end(process)
        return outcome or Failed(_died(code))

    async def _start(self, order: Order) -> Process:
        arguments = ["--directory", str(self.directory), "--number", str(order.number)]
        if order.baseline is not None:
            arguments += ["--baseline", str(order.baseline), "--baseline-checksum", order.baseline_checksum]
        return await asyncio.create_subprocess_exec(
            *self.command,
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            limit=LINE_BYTES_MAX,
            env={**os.environ, "SCENEMESH_POSTGRES_DSN": self.dsn},
            # Ctrl-C in a terminal is for the parent, who ends the build itself.
            start_new_session=True,
        )


async def _talk(process: Process, order: Order, queries: Sequence[Asked]) -> Outcome | None:
    """Gives the queries and hears what happens; None when the process says no outcome."""
    stdin, stdout = cast("StreamWriter", process.stdin), cast("StreamReader", process.stdout)
    with suppress(BrokenPipeError, ConnectionResetError):
        stdin.writelines(json.dumps(wire.query(one)).encode() + b"\n" for one in queries)
        stdin.write(b"\n")
        await stdin.drain()
    outcome = None
    async for line in stdout:
        if not line.endswith(b"\n"):
            break  # it was ended while it wrote
        message = json.loads(line)
        outcome = wire.outcome(message) or outcome
        if "step" in message:
            log.info("index build", version=order.number, **message)
    return outcome


async def _end(process: Process) -> None:
    """Ends the process, if it has not ended, and waits until it has."""
    cast("StreamWriter", process.stdin).close()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await process.communicate()
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
    await process.communicate()


def _died(code: int) -> str:
    if code < 0:
        return f"The build's process was ended by signal {-code}: see whether memory is short, then build again."
    return f"The build broke off with exit code {code}: the log says why."
