"""`scenemesh up`."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from cli.local import environment, keys, port, stack
from cli.local.console import Console
from cli.local.failure import Failure
from cli.local.logs import Follower, last_words
from cli.local.state import State
from cli.local.supervisor import Supervisor
from cli.options import STATE_DEFAULT
from cli.options import State as StateOption

LOG_POLL_SECONDS = 0.25
DETACH_SECONDS = 120.0
DETACH_POLL_SECONDS = 0.1


def up(
    state: StateOption = STATE_DEFAULT,
    host: Annotated[str, typer.Option(help="The address that the edge listens on.")] = "127.0.0.1",
    public_port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Its port; 0 finds a free one.")] = 8080,
    replicas: Annotated[
        list[str] | None, typer.Option(metavar="NAME=N", help="Run N processes of a service; may be repeated.")
    ] = None,
    issuers: Annotated[
        Path | None, typer.Option(metavar="FILE", help="More token issuers, as TOML: see docs/identity.md.")
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return once it is healthy; `down` stops it.")] = False,
) -> None:
    """Run the whole mesh on this machine: engines, services, edge."""
    folder = State(state.resolve())
    console = Console("" if state == STATE_DEFAULT else f" --state {state}")
    try:
        if detach:
            _detach(folder, console)
        else:
            _run(folder, host, public_port, stack.replicas(replicas or []), issuers, console)
    except Failure as failure:
        console.failed(str(failure))
        raise typer.Exit(1) from None


def _run(
    state: State, host: str, wanted: int, replicas: dict[str, int], issuers: Path | None, console: Console
) -> None:
    state.create()
    with state.locked(), port.reserved(host, wanted) as found:
        options = stack.Options(host, found, replicas, issuers.resolve() if issuers else None)
        console.say(f"Starting SceneMesh in {state.root}")
        try:
            asyncio.run(_serve(state, options, console))
        except* Failure as failures:
            raise Failure("\n".join(str(failure) for failure in failures.exceptions)) from None
    console.say("Stopped.")


async def _serve(state: State, options: stack.Options, console: Console) -> None:
    keys.issuer(state)
    await keys.certificates(state, environment.base(os.environ))
    parts = stack.parts(state, options, os.environ)
    supervisor = Supervisor(state, parts, options.url, console)
    follower = Follower(state.logs)
    follower.skip()
    running = asyncio.create_task(supervisor.run())
    with _signals(lambda: running.cancel()):
        following = asyncio.create_task(_follow(follower, console))
        try:
            with suppress(asyncio.CancelledError):
                await running
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


class _signals:  # noqa: N801 (a context manager, used as a word)
    """Calls `act` at every SIGINT and SIGTERM."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, self._act)

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(number)


async def _follow(follower: Follower, console: Console) -> None:
    while True:
        for line in follower.lines():
            console.log(line)
        await asyncio.sleep(LOG_POLL_SECONDS)


def _detach(state: State, console: Console) -> None:
    """Starts the same command in a session of its own, and waits until its stack is healthy."""
    state.create()
    log = state.log("up")
    command = [sys.executable, "-m", "cli", *(word for word in sys.argv[1:] if word != "--detach")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    asyncio.run(_until_healthy(state, process, log))
    found = state.read()
    if found is not None:
        console.healthy(found.url, found.payments, detached=True)


async def _until_healthy(state: State, process: "subprocess.Popen[bytes]", log: Path) -> None:
    try:
        async with asyncio.timeout(DETACH_SECONDS):
            while not ((found := state.read()) and found.healthy and found.supervisor.pid == process.pid):
                if process.poll() is not None:
                    raise Failure(last_words(log) or f"It ended: see {log}.")
                await asyncio.sleep(DETACH_POLL_SECONDS)
    except TimeoutError as error:
        raise Failure(f"It is not healthy after {DETACH_SECONDS:.0f} s: see {log}, or stop it with down.") from error
