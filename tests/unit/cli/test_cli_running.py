import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "cli")
WAIT_SECONDS = 120
FULL = Path("/dev/full")


def test_ctrl_c_while_the_command_is_loaded_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("print('loading', flush=True)\ninput()\n")
    with subprocess.Popen(
        [*COMMAND, "--help"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        # Whoever runs the tests in the background hands down that Ctrl-C is ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=WAIT_SECONDS)
    assert (process.returncode, err) == (130, "scenemesh: Stopped before it began.\n")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["token", "--help"], ["chat", "sherlock-holmes", "Hi", "--json"]],
    ids=["drawn", "of a command", "a failure as JSON"],
)
def test_an_output_that_cannot_be_written_is_told_in_a_sentence(arguments: list[str]) -> None:
    with FULL.open("w") as full:
        ran = subprocess.run(
            [*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=WAIT_SECONDS
        )
    assert (ran.returncode, ran.stderr) == (1, "scenemesh: The output cannot be written: No space left on device.\n")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
def test_where_nothing_at_all_can_be_written_the_exit_code_says_it() -> None:
    with FULL.open("w") as full:
        ran = subprocess.run([*COMMAND, "--help"], stdout=full, stderr=full, check=False, timeout=WAIT_SECONDS)
    assert ran.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["quota", "entries", "--since", "yesterday"],
            "Invalid value for '--since': 'yesterday' is not a time such as 2026-11-22T00:00:00Z.",
        ),
        (["search"], "Missing argument 'query'."),
        (["sing"], "No such command 'sing'."),
    ],
)
def test_programs_are_told_of_a_wrong_argument_as_json(arguments: list[str], message: str) -> None:
    ran = subprocess.run(
        [*COMMAND, *arguments, "--json"], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
    )
    told = json.loads(ran.stdout)["error"]
    assert (ran.returncode, ran.stderr, told["code"]) == (2, "", "INVALID_ARGUMENT")
    assert told["message"] == message


def test_people_are_told_of_a_wrong_argument_with_how_it_is_used() -> None:
    ran = subprocess.run([*COMMAND, "search"], capture_output=True, text=True, check=False, timeout=WAIT_SECONDS)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Usage: scenemesh search" in ran.stderr
