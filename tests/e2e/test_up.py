"""A newcomer's first minutes, with the model out of the wheel: up, talk, look, break it, up again."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.e2e.clients import Rest
from tests.e2e.stack import Stack, running, until_balanced, until_gone

RESTARTED_SECONDS = 90
SAID_SECONDS = 60


async def test_a_character_answers_from_the_embedded_model_and_everything_outlives_a_kill(tmp_path: Path) -> None:
    async with running(tmp_path / "stack", embedded=True) as stack:
        said = stack.run("chat", "Sherlock Holmes", "Who are you?", "--user", "ada", "--json")
        events = [json.loads(line) for line in said.stdout.splitlines()]
        finished = events[-1]["finished"]
        assert finished["message"]["model"] == "embedded"
        assert len(finished["message"]["text"]) > 10
        assert int(finished["receipt"]["usage"]["output_tokens"]) > 0
        await _has_paid(stack)

        status = json.loads(stack.run("status", "--json").stdout)
        assert (status["running"], status["healthy"]) == (True, True)
        assert {"postgres", "valkey", "model", "stripe", "mesh", "edge", "chat", "envoy"} <= set(status["processes"])
        _refused_twice(stack)
        await _says_that_no_money_moves(stack, status["processes"]["stripe"]["address"])

        supervisor = psutil.Process(status["supervisor"]["pid"])
        family = supervisor.children(recursive=True)
        supervisor.kill()
        await until_gone(family)
        assert stack.run("status", check=False).returncode == 3

    async with running(tmp_path / "stack", embedded=True) as stack:
        ada = Rest(stack.url, stack.token(user="ada"))
        conversation = (await ada.call("GET", "/v1/conversations")).body["conversations"][0]
        assert (conversation["character"], conversation["message_count"]) == ("characters/sherlock-holmes", 2)
        messages = (await ada.call("GET", f"/v1/{conversation['name']}/messages")).body["messages"]
        assert messages[1]["text"] == finished["message"]["text"]
        await _has_paid(stack)
        assert stack.run("down").stdout == "Stopped.\n"
        assert stack.run("down", check=False).returncode == 3


async def _has_paid(stack: Stack) -> None:
    """Of ada's turns one is used, and four are left."""
    await Rest(stack.url, stack.token(user="ada")).settled()
    quota = json.loads(stack.run("quota", "--user", "ada", "--json").stdout)
    chat = next(meter for meter in quota["meters"] if meter["meter"] == "chat")
    assert (chat["used"], chat["remaining"]) == ("1", "4")


def _refused_twice(stack: Stack) -> None:
    """Another `up` in the folder, or on the port, says one line and harms nobody."""
    port = stack.url.rpartition(":")[2]
    again = stack.run("up", check=False)
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    assert "already runs" in again.stderr
    other = stack.state.with_name("other")
    command = [sys.executable, "-m", "cli", "up", "--port", port, "--state", str(other)]
    busy = subprocess.run(command, capture_output=True, text=True)
    assert (busy.returncode, busy.stderr.count("\n")) == (1, 1)
    assert f"Port {port}" in busy.stderr


async def _says_that_no_money_moves(stack: Stack, page: str) -> None:
    line = f"Payments: test mode, no money moves. {page}\n"
    assert line in stack.run("status").stdout
    # What `up` says last comes a moment after it is healthy.
    async with asyncio.timeout(SAID_SECONDS):
        while line not in stack.said:
            await asyncio.sleep(0.05)


async def test_a_busy_port_is_one_line_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "cli", "up", "--port", str(port), "--state", str(tmp_path / "stack")]
        refused = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert refused.returncode == 1
    assert refused.stderr == f"Port {port} on 127.0.0.1 is busy: stop what uses it, or choose another with --port.\n"


@pytest.mark.parametrize("wrong", ["chat", "chat=0", "chat=99", "nobody=2"])
async def test_a_wrong_number_of_replicas_is_one_line(tmp_path: Path, wrong: str) -> None:
    command = [sys.executable, "-m", "cli", "up", "--replicas", wrong, "--state", str(tmp_path / "stack")]
    refused = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)


async def test_a_service_that_dies_is_started_again_and_calls_are_balanced(stack: Stack) -> None:
    """The shared stack runs two processes of chat_svc: one may die without anyone noticing for long."""
    ada = Rest(stack.url, stack.token(user="up-ada"))
    await until_balanced(stack, "up-balanced")
    first = stack.pids("chat")
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    async with asyncio.timeout(RESTARTED_SECONDS):
        while len(set(stack.pids("chat")) - set(first)) != 1:
            await asyncio.sleep(0.05)
    assert (await ada.call("GET", "/v1/conversations")).status == 200
