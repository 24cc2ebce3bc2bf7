import os
from pathlib import Path

import pytest

from cli.local import leftovers
from cli.local.failure import Failure
from cli.local.state import SOCKET_NAME_BYTES_MAX, SOCKET_PATH_BYTES_MAX, Running, Stack, State


def _own() -> Running:
    return Running(os.getpid(), leftovers.created(os.getpid()), "http://127.0.0.1:1")


def test_what_is_told_of_a_stack_is_read_back(tmp_path: Path) -> None:
    state = State(tmp_path / "stack")
    state.create()
    stack = Stack("http://127.0.0.1:1", True, _own(), {"chat": Running(1, 2.0, "127.0.0.1:3", 4)})
    state.write(stack)
    assert state.read() == stack
    state.forget()
    assert state.read() is None


def test_a_stack_whose_supervisor_is_gone_does_not_run(tmp_path: Path) -> None:
    state = State(tmp_path / "stack")
    state.create()
    state.write(Stack("http://127.0.0.1:1", True, Running(os.getpid(), 1.0, ""), {}))
    assert state.read() is None


def test_the_folders_are_closed_to_others(tmp_path: Path) -> None:
    state = State(tmp_path / "stack")
    state.create()
    assert {folder.stat().st_mode & 0o777 for folder in (state.root, state.keys, state.run, state.logs)} == {0o700}


def test_two_supervisors_do_not_share_a_folder(tmp_path: Path) -> None:
    state = State(tmp_path / "stack")
    state.create()
    with state.locked(), pytest.raises(Failure, match="already runs"), state.locked():
        pass


def test_sockets_go_elsewhere_when_their_path_would_be_too_long(tmp_path: Path) -> None:
    near, far = State(Path("/s")), State(tmp_path / ("x" * 100))
    assert near.sockets == near.run
    assert far.sockets != far.run
    for state in (near, far):
        assert len(os.fsencode(state.sockets)) + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX
