"""Suggest over gRPC, beside a bare echo: servers in processes of their own, the same client and load for all."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import grpc

from benchmarks import load
from benchmarks.load import Call, Result
from benchmarks.search_work import Work
from scenemesh.search.v1 import search_pb2
from scenemesh.search.v1.search_pb2_grpc import SearchServiceStub
from services.search_svc.cache import ENTRIES_MAX
from tests.harness.serving import client_credentials

AT_ONCE = 64
# Fewer than the cache keeps.
QUERIES = 2000
# A query without a word in it finds nothing, at once.
NOTHING = "!"


@dataclass
class Contender:
    """Something that answers calls; `name` is how the table calls it. Every round goes on where the last one ended."""

    name: str
    call: Call
    results: list[Result] = field(default_factory=list)
    calls: int = 0

    async def measured(self, seconds: float) -> None:
        """One round of about so many seconds."""
        before = self.results[-1] if self.results else await self._round(QUERIES)
        self.results.append(await self._round(int(before.per_second * seconds)))

    async def _round(self, calls: int) -> Result:
        begin, self.calls = self.calls, self.calls + calls
        return await load.closed(lambda number: self.call(begin + number), calls, AT_ONCE)


async def measured(work: Work, seconds: float, rounds: int) -> dict[str, Result]:
    """The medians by name, the echo first."""
    making = [sys.executable, "-m", "mesh.certificates", "--directory", str(work.folder / "certificates")]
    subprocess.run([*making, "search", "edge"], check=True)  # noqa: ASYNC221 (nothing else runs yet)
    queries = [query.text for query in work.queries()]
    few, letters = queries[:QUERIES], [query[:end] for query in queries for end in range(1, len(query) + 1)]
    kept = ENTRIES_MAX
    async with AsyncExitStack() as stack:
        contenders = [
            await stack.enter_async_context(contender)
            for contender in (
                echoing(few),
                suggesting(f"Suggest, the same {QUERIES:,} queries again and again", work, few, kept),
                suggesting("Suggest, letter by letter", work, letters, kept),
                suggesting("Suggest, no cache", work, few, 0),
                suggesting("Suggest of nothing: TLS and interceptors", work, [NOTHING], kept),
            )
        ]
        for _ in range(rounds):
            for contender in contenders:
                await contender.measured(seconds)
                print(f"{contender.name}: {contender.results[-1].per_second:,.0f}/s", file=sys.stderr)
        return {contender.name: load.median(contender.results) for contender in contenders}


@asynccontextmanager
async def echoing(texts: list[str]) -> AsyncIterator[Contender]:
    with process("echo") as port:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            echo: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/bare.Echo/Echo")

            async def call(number: int) -> None:
                await echo(search_pb2.SuggestRequest(query=texts[number % len(texts)]).SerializeToString())

            yield Contender("bare gRPC echo", call)


@asynccontextmanager
async def suggesting(name: str, work: Work, texts: list[str], answers_kept: int) -> AsyncIterator[Contender]:
    certificates = work.folder / "certificates"
    with process("index", str(work.index), str(certificates), str(answers_kept)) as port:
        async with grpc.aio.secure_channel(f"localhost:{port}", client_credentials(certificates / "edge")) as channel:
            stub = SearchServiceStub(channel)

            async def call(number: int) -> None:
                await stub.Suggest(search_pb2.SuggestRequest(query=texts[number % len(texts)]))

            yield Contender(name, call)


@contextmanager
def process(*arguments: str) -> Iterator[int]:
    """The port of a process of `benchmarks.search_serving` that lives as long as the block."""
    command = [sys.executable, "-m", "benchmarks.search_serving", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline())
        finally:
            running.terminate()
