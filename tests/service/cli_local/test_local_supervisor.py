"""The supervisor with real processes: small ones, so that their ends can be told apart."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from cli.local import leftovers, supervisor
from cli.local.console import Console
from cli.local.failure import Failure
from cli.local.part import Part
from cli.local.process import Launch, start
from cli.local.state import State
from cli.local.supervisor import RESTARTS_MAX, Supervisor

WAIT_SECONDS = 90
# Tells its folder that it serves, and serves until it is told to stop; then it says so.
SERVER = """
import pathlib, signal, sys
run, name = pathlib.Path(sys.argv[1]), sys.argv[2]
(run / f"{name}.ready").write_text("here")
signal.sigwait({signal.SIGTERM})
with (run / "ends").open("a") as ends: ends.write(name + "\\n")
"""
BLOCKED = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"


@pytest.fixture
def state(tmp_path: Path) -> State:
    state = State(tmp_path / "stack")
    state.create()
    return state


def _server(
    state: State, name: str, *, after: tuple[str, ...] = (), program: str = SERVER, restarts: bool = True
) -> Part:
    file = state.run / f"{name}.ready"

    def launch(_: object) -> Launch:
        file.unlink(missing_ok=True)
        return Launch((sys.executable, "-c", BLOCKED + program, str(state.run), name), {})

    return Part(name, launch, _exists(file), after=after, restarts=restarts)


def _exists(file: Path) -> Callable[[int], Awaitable[str | None]]:
    async def ready(_: int) -> str | None:
        return "here" if file.exists() else None  # noqa: ASYNC240 (a look at this machine)

    return ready


def _supervise(state: State, *parts: Part) -> "asyncio.Task[None]":
    return asyncio.create_task(Supervisor(state, parts, "http://127.0.0.1:1", Console("")).run())


async def _until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_SECONDS):
        while not condition():
            await asyncio.sleep(0.02)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _pid(state: State, name: str) -> int:
    stack = state.read()
    return stack.processes[name].pid if stack and name in stack.processes else 0


async def test_parts_start_after_what_they_need_and_stop_before_it(state: State) -> None:
    task = _supervise(
        state,
        _server(state, "third", after=("second",)),
        _server(state, "second", after=("first",)),
        _server(state, "first"),
    )
    await _until(lambda: (stack := state.read()) and stack.healthy)
    created = [leftovers.created(_pid(state, name)) for name in ("first", "second", "third")]
    assert created == sorted(created)
    await _ended(task)
    assert (state.run / "ends").read_text().split() == ["third", "second", "first"]
    assert (state.read(), list(state.run.glob("*.pid"))) == (None, [])


async def test_a_part_that_dies_is_started_again(state: State) -> None:
    task = _supervise(state, _server(state, "chat"))
    await _until(lambda: _pid(state, "chat"))
    first = _pid(state, "chat")
    os.kill(first, signal.SIGKILL)
    await _until(lambda: _pid(state, "chat") not in (0, first))
    stack = state.read()
    assert stack is not None
    assert stack.processes["chat"].restarts == 1
    await _ended(task)


async def _failure(task: "asyncio.Task[None]") -> str:
    with pytest.RaisesGroup(Failure) as caught:
        async with asyncio.timeout(WAIT_SECONDS):
            await task
    (failure,) = caught.value.exceptions
    return str(failure)


async def test_a_part_in_a_crash_loop_ends_the_stack_with_its_last_words(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy machine takes for it.
    monkeypatch.setattr(supervisor, "RESTARTS_WINDOW_SECONDS", 3600.0)
    program = "import pathlib, sys; pathlib.Path(sys.argv[1], 'chat.ready').write_text('x'); sys.exit('out of luck')"
    loop = _server(state, "chat", program=program)
    told = await _failure(_supervise(state, loop, _server(state, "other")))
    assert told in ("chat ended (exit code 1): out of luck", "chat did not start (exit code 1): out of luck")
    assert (state.run / "ends").read_text().split() == ["other"]
    assert (state.log("chat")).read_text().count("out of luck") <= RESTARTS_MAX


async def test_the_end_of_an_engine_is_the_end_of_the_stack(state: State) -> None:
    task = _supervise(state, _server(state, "postgres", restarts=False))
    await _until(lambda: _pid(state, "postgres"))
    os.kill(_pid(state, "postgres"), signal.SIGKILL)
    assert await _failure(task) == "postgres ended (signal 9): "


async def test_a_program_that_is_not_there_is_one_line(state: State) -> None:
    with pytest.raises(Failure, match=r"^/nowhere/engine cannot be run \(No such file or directory\)"):
        await start(Launch(("/nowhere/engine",), {}), state.log("engine"))


async def test_what_a_killed_supervisor_left_is_ended_and_a_stranger_with_its_number_is_not(state: State) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])  # noqa: ASYNC220 (returns at once)
    began = leftovers.created(left.pid)
    leftovers.note(state.run / "left.pid", left.pid)
    (state.run / "stranger.pid").write_text(f"{os.getpid()} 1.0")
    with state.locked():
        assert leftovers.alive(left.pid, began) is None
        assert psutil.pid_exists(os.getpid())
        assert list(state.run.glob("*.pid")) == []
    left.wait()
