"""A fake edge, a state folder with a local issuer, and the command as a process of its own."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.service.cli.fake_billing import Billing, fake_billing
from tests.service.cli.fake_edge import Script, fake_edge

ROOT = Path(__file__).parents[3]
COMMAND = (sys.executable, "-m", "tests.service.cli.commands")
WAIT_SECONDS = 120


@dataclass(frozen=True)
class Ran:
    """How the command ended and what it wrote."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


def rows(out: str) -> list[list[str]]:
    """The rows of the tables in an output."""
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]


@dataclass(frozen=True)
class Command:
    """Runs `scenemesh …` in a state folder."""

    state: Path
    environment: dict[str, str] = field(default_factory=dict)

    async def start(self, *arguments: str, **environment: str) -> Process:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("SCENEMESH_")}
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            "--state",
            str(self.state),
            cwd=ROOT,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={**inherited, "TZ": "UTC", "COLUMNS": "120", **self.environment, **environment},
            # Whoever runs the tests in the background hands down that Ctrl-C is ignored.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )

    async def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        process = await self.start(*arguments, **environment)
        async with asyncio.timeout(WAIT_SECONDS):
            out, err = await process.communicate(os.fsencode(stdin))
        return Ran(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    async with fake_edge() as script:
        yield script


@pytest.fixture
async def billing() -> AsyncIterator[Billing]:
    async with fake_billing() as billing:
        yield billing


@pytest.fixture
def buyer(billing: Billing, state: Path) -> Command:
    """The command, beside an edge that has billing."""
    return Command(state, {"SCENEMESH_URL": billing.url, "COLUMNS": "160"})


@pytest.fixture(scope="session")
def issuer_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def state(tmp_path: Path, issuer_key: ec.EllipticCurvePrivateKey) -> Path:
    """A state folder as `scenemesh up` leaves it, with a key and no stack."""
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "issuer.pem").write_bytes(issuer_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = jwt.algorithms.ECAlgorithm.to_jwk(issuer_key.public_key(), as_dict=True)
    (keys / "issuer.jwks.json").write_text(json.dumps({"keys": [{**public, "kid": "key-1", "alg": "ES256"}]}))
    return tmp_path


@pytest.fixture
def command(script: Script, state: Path) -> Command:
    """The command, beside a stack whose edge is the fake one."""
    (state / "run").mkdir()
    (state / "run" / "stack.json").write_text(json.dumps({"url": script.url}))
    return Command(state)
