"""A whole stack for tests: `scenemesh up` on a free port, with the fake model provider behind it."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from cli import issuer
from tests.e2e.appstore import AUTHORIZATION
from tests.e2e.clients import Rest
from tests.fakes.behaviour import Behaviour
from tests.fakes.provider import FakeProvider, provider

START_SECONDS = 120
STOP_SECONDS = 120
# What a command says that found a machine with too much to do, and how often it is run again.
BUSY = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RECONCILIATION_RUNNING", "cannot be reached")
RUNS_MAX = 10
GONE_SECONDS = 60
# Envoy rests a process that has failed, and the longer the more often.
BALANCED_SECONDS, BALANCED_CALLS = 180, 5
RENEWED_SECONDS = 120
# What would make it talk to somebody's own models and take somebody's own money.
FOREIGN_PREFIXES = ("ANTHROPIC_", "OPENAI_", "STRIPE_", "REVENUECAT_", "LEMON_SQUEEZY_", "CRYPTOMUS_")
LEMON_SQUEEZY_SECRET = "lemon-squeezy-secret"
CRYPTOMUS_KEY = "cryptomus-key"
# Every provider but Stripe, of whom the stack has a pretended one.
PAYMENT_PROVIDERS = {
    "REVENUECAT_WEBHOOK_AUTHORIZATION": AUTHORIZATION,
    "LEMON_SQUEEZY_API_KEY": "lemon-squeezy-key",
    "LEMON_SQUEEZY_STORE": "1",
    "LEMON_SQUEEZY_WEBHOOK_SECRET": LEMON_SQUEEZY_SECRET,
    "CRYPTOMUS_MERCHANT": "merchant",
    "CRYPTOMUS_API_KEY": CRYPTOMUS_KEY,
}


@dataclass(frozen=True)
class Provider:
    """The model provider behind a stack."""

    fake: FakeProvider

    async def requests(self) -> int:
        """How many times a model was asked."""
        return len(self.fake.requests)

    async def script(self, behaviour: dict[str, Any]) -> None:
        """What the next request gets."""
        self.fake.script(Behaviour.of(behaviour))


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    state: Path
    provider: Provider
    # What `up` printed, line by line.
    said: list[str] = field(default_factory=list)

    def described(self) -> dict[str, Any]:
        """stack.json."""
        described: dict[str, Any] = json.loads((self.state / "run" / "stack.json").read_text())
        return described

    @property
    def url(self) -> str:
        return str(self.described()["url"])

    def pids(self, service: str) -> list[int]:
        """The processes of a service."""
        processes = self.described()["processes"]
        return [one["pid"] for name, one in processes.items() if name.split("-")[0] == service]

    def token(self, *, user: str, role: str = "user", hours: float = 1) -> str:
        """A token of the stack's own issuer."""
        return issuer.read(self.state).token(user, issuer.Role(role), datetime.now(UTC), timedelta(hours=hours))

    def run(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """The `scenemesh` command on this stack; one that is to succeed is run again where the machine is busy."""
        command = [sys.executable, "-m", "cli", *arguments, "--state", str(self.state)]
        for _ in range(RUNS_MAX):
            ran = subprocess.run(command, capture_output=True, text=True)
            if not check or ran.returncode == 0 or not any(word in ran.stdout + ran.stderr for word in BUSY):
                break
        assert not check or ran.returncode == 0, (arguments, ran)
        return ran

    def logged(self, part: str) -> list[dict[str, Any]]:
        """What the logs of a part, `chat` or `chat-1`, have by now: every whole line that is JSON."""
        texts = [log.read_text() for log in sorted((self.state / "logs").glob(f"{part}*.log"))]
        lines = [line for text in texts for line in text.rpartition("\n")[0].splitlines()]
        return [json.loads(line) for line in lines if line.startswith("{")]


async def until_balanced(stack: Stack, user: str) -> None:
    """Waits until both processes of chat_svc get the calls of a user who has made none."""
    rest = Rest(stack.url, stack.token(user=user))
    async with asyncio.timeout(BALANCED_SECONDS):
        while min(_calls(stack, part, user) for part in ("chat-1", "chat-2")) < BALANCED_CALLS:
            await rest.read("/v1/conversations")
            await asyncio.sleep(0.05)


async def until_renewed(stack: Stack, killed: Collection[int]) -> None:
    """Waits until both processes of chat_svc are others than those that were killed."""
    async with asyncio.timeout(RENEWED_SECONDS):
        while len(set(stack.pids("chat")) - set(killed)) < 2:
            await asyncio.sleep(0.05)


def _calls(stack: Stack, part: str, user: str) -> int:
    """Finished calls of a user in a part's log."""
    return sum(1 for line in stack.logged(part) if line["event"] == "rpc" and line.get("user") == user)


@asynccontextmanager
async def running(
    state: Path, *options: str, environment: Mapping[str, str] | None = None, embedded: bool = False
) -> AsyncIterator[Stack]:
    """A healthy stack; afterwards none of its processes is left. `embedded` runs the model out of the wheel."""
    async with provider() as fake:
        variables = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_PREFIXES)}
        variables |= PAYMENT_PROVIDERS
        if not embedded:
            variables |= {"OPENAI_BASE_URL": f"{fake.url}/v1", "OPENAI_API_KEY": "test"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli", "up", "--port", "0", "--state", str(state), *options),
            env={**variables, **(environment or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=2**24,
        )
        stack = Stack(state, Provider(fake))
        listening = asyncio.create_task(_listen(process, stack.said))
        try:
            await _until_healthy(process, stack)
            family = psutil.Process(process.pid).children(recursive=True)
            yield stack
        finally:
            if process.returncode is None:
                process.terminate()
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
                await listening
        await until_gone(family)


async def _listen(process: asyncio.subprocess.Process, said: list[str]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        said += [line.decode(errors="replace")]


async def until_gone(processes: list[psutil.Process]) -> None:
    """Waits for what has been ended: a busy machine takes a moment for it."""
    async with asyncio.timeout(GONE_SECONDS):
        while any(map(_lives, processes)):
            await asyncio.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def _until_healthy(process: asyncio.subprocess.Process, stack: Stack) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            assert process.returncode is None, "".join(stack.said)
            try:
                told = stack.described()
                # A supervisor that was killed leaves its last words behind.
                if told["healthy"] and told["supervisor"]["pid"] == process.pid:
                    return
            except (OSError, ValueError):
                pass
            await asyncio.sleep(0.05)
