"""Who keeps webhooks in `benchmarks/billing.py`: processes of their own, and the requests that go to them."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from google.api.httpbody_pb2 import HttpBody

from benchmarks import load
from benchmarks.billing_events import SECRET, Post, post
from benchmarks.load import Result
from benchmarks.posting import posting
from scenemesh.billing.v1.webhook_pb2 import ReceiveStripeRequest
from scenemesh.billing.v1.webhook_pb2_grpc import WebhookServiceStub
from tests.harness.serving import Dial

PEER = ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", "asyncpg==0.32.0", "stripe==16.1.0")
TRIAL_CALLS = 200


@dataclass
class Contender:
    """Something that keeps webhooks; `send` fails where one was not acknowledged."""

    name: str
    send: Callable[[Post], Awaitable[None]]
    results: dict[int, list[Result]] = field(default_factory=dict)
    sent: int = 0

    async def measured(self, seconds: float, at_once: int) -> Result:
        """One round of about so many seconds."""
        trial = await self._round(TRIAL_CALLS, at_once)
        result = await self._round(max(TRIAL_CALLS, int(trial.per_second * seconds)), at_once)
        self.results.setdefault(at_once, []).append(result)
        return result

    async def _round(self, calls: int, at_once: int) -> Result:
        posts = [post(self.sent + number) for number in range(calls)]
        self.sent += calls
        return await load.closed(lambda number: self.send(posts[number]), calls, at_once)

    def median(self, at_once: int) -> Result:
        return load.median(self.results[at_once])


@contextmanager
def fastapi(dsn: str, directory: Path) -> Iterator[str]:
    """The port of a FastAPI endpoint on uvicorn with uvloop and httptools."""
    script = str(Path(__file__).with_name("billing_peer.py"))
    with process(str(environment(directory)), script, dsn, SECRET) as (port, _):
        yield port


@asynccontextmanager
async def posted(name: str, address: str, path: str) -> AsyncIterator[Contender]:
    """One that is reached over HTTP/1.1."""
    async with posting(address) as client:

        async def send(one: Post) -> None:
            headers = {"stripe-signature": one.signature, "content-type": "application/json"}
            assert await client.post(path, headers, one.body) == 200

        yield Contender(name, send)


def environment(directory: Path) -> Path:
    """The Python of a virtual environment that has the peer's packages."""
    python = directory / "bin" / "python"
    if not python.exists():
        venv.create(directory, with_pip=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check", *PEER], check=True
        )
    return python


@asynccontextmanager
async def direct(address: str, certificates: Path) -> AsyncIterator[Contender]:
    async with AsyncExitStack() as stack:
        stub = WebhookServiceStub(Dial(address, certificates, stack)("edge"))

        async def send(one: Post) -> None:
            body = HttpBody(content_type="application/json", data=one.body)
            await stub.ReceiveStripe(ReceiveStripeRequest(body=body), metadata=(("stripe-signature", one.signature),))

        yield Contender("billing_svc over gRPC, mutual TLS", send)


@contextmanager
def process(*command: str) -> Iterator[tuple[str, int]]:
    """What a process prints first, and its pid; it lives as long as the block."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield running.stdout.readline().strip(), running.pid
        finally:
            running.terminate()


@contextmanager
def ours(dsn: str, certificates: Path, *options: str) -> Iterator[tuple[str, int]]:
    """The address and the pid of a billing_svc."""
    arguments = (dsn, str(certificates), *options)
    with process(sys.executable, "-m", "benchmarks.billing_serving", *arguments) as (address, pid):
        yield address.replace("127.0.0.1", "localhost"), pid
