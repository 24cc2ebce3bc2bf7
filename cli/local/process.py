"""One process: how it is started, ended, and kept from outliving us."""

import asyncio
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.local.account import Account
from cli.local.failure import Failure
from cli.local.kernel import before_exec


@dataclass(frozen=True)
class Launch:
    """What to run, as whom, and which signals it understands."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    account: Account | None = None
    # Asks it to end.
    stop_signal: signal.Signals = signal.SIGTERM
    # What it gets when we die ourselves.
    death_signal: signal.Signals = signal.SIGKILL


class Process:
    """A started process."""

    def __init__(self, launch: Launch, process: asyncio.subprocess.Process) -> None:
        self._launch = launch
        self._process = process
        self.pid = process.pid

    async def wait(self) -> int:
        """Its exit code once it has ended; negative for a signal."""
        return await self._process.wait()

    async def stop(self, grace_seconds: float) -> None:
        """Asks it to end, and ends it when it has not after `grace_seconds`."""
        self._send(self._launch.stop_signal)
        try:
            async with asyncio.timeout(grace_seconds):
                await self.wait()
        except TimeoutError:
            self.kill()
            await self.wait()

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


async def start(launch: Launch, log: Path) -> Process:
    """Starts it, in a session of its own: a Ctrl-C at the terminal is for the supervisor alone."""
    with log.open("ab") as output:
        return Process(launch, await _execute(launch, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output))


async def completed(launch: Launch, *, log: Path, text: str) -> int:
    """The exit code of something that ends by itself, given `text` to read."""
    with log.open("ab") as output:
        process = await _execute(launch, stdin=asyncio.subprocess.PIPE, stdout=output, stderr=output)
        await process.communicate(text.encode())
    return process.returncode or 0


async def _execute(launch: Launch, **streams: Any) -> asyncio.subprocess.Process:
    assume = launch.account.assume if launch.account is not None else None
    try:
        return await asyncio.create_subprocess_exec(
            *launch.command,
            env=dict(launch.environment),
            start_new_session=True,
            preexec_fn=before_exec(os.getpid(), launch.death_signal, assume),
            **streams,
        )
    except OSError as error:
        raise Failure(
            f"{launch.command[0]} cannot be run ({error.strerror}): `make setup` installs it anew."
        ) from error
