"""How fast credit is reserved: the ledger in process and over gRPC, beside a deduct function and a bare echo.

    python -m benchmarks.quota [--seconds 5] [--rounds 3] [--operations 1000000] [--write docs/performance.md]

All of it runs on one PostgreSQL with fsync on, in one run; the figures are medians of the rounds. `--operations 0`
leaves out the look at memory, which takes most of the time.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import grpc
import psutil

from benchmarks import load, report
from benchmarks.load import Call, Result
from benchmarks.quota_ledger import TARIFF, committing, ledger
from runtime.certificates import Certificates
from scenemesh.quota.v1 import quota_pb2
from scenemesh.quota.v1.quota_pb2_grpc import QuotaServiceStub
from services.quota_svc.commits import Commits, single
from services.quota_svc.domain.credit import Source
from services.quota_svc.domain.granting import GrantOrder, grant
from services.quota_svc.domain.hold import ReserveOrder
from services.quota_svc.domain.reserving import Reserved, reserve
from services.quota_svc.domain.resolving import SettleOrder, settle
from services.quota_svc.store import Asked
from tests.harness import engines

USERS = 1000
CREDIT = 1_000_000_000
AT_ONCE = 256
BATCH = 5000
POOL = 20
SAMPLES = 10

# What the systems that this one comes from do: one call a request, a row a user, a check and an update.
DEDUCT = """
    CREATE TABLE user_quotas (user_id text PRIMARY KEY, remaining bigint NOT NULL, used bigint NOT NULL DEFAULT 0);
    CREATE FUNCTION deduct_user_quota(p_user text, p_amount bigint) RETURNS boolean LANGUAGE plpgsql AS $$
    DECLARE
        v_remaining bigint;
    BEGIN
        SELECT remaining INTO v_remaining FROM user_quotas WHERE user_id = p_user FOR UPDATE;
        IF v_remaining IS NULL OR v_remaining < p_amount THEN
            RETURN false;
        END IF;
        UPDATE user_quotas SET remaining = remaining - p_amount, used = used + p_amount WHERE user_id = p_user;
        RETURN true;
    END
    $$;
    INSERT INTO user_quotas (user_id, remaining)
        SELECT 'u' || number, 1000000000 FROM generate_series(0, 999) AS number;
"""


@dataclass
class Contender:
    """Something that admits uses, or only answers; `name` is how the table calls it."""

    name: str
    call: Call
    at_once: int
    results: list[Result] = field(default_factory=list)
    clear: Callable[[], Awaitable[None]] | None = None

    async def measured(self, seconds: float) -> None:
        """One round of about so many seconds; what it left held is settled afterwards, unmeasured."""
        trial = await load.closed(self.call, self.at_once * 4, self.at_once)
        self.results.append(await load.closed(self.call, int(trial.per_second * seconds), self.at_once))
        await self.cleared()

    async def cleared(self) -> None:
        if self.clear is not None:
            await self.clear()

    @property
    def median(self) -> Result:
        return load.median(self.results)


def user(number: int) -> str:
    return f"u{number % USERS}"


@asynccontextmanager
async def deducting(dsn: str) -> AsyncIterator[Contender]:
    async with asyncpg.create_pool(dsn, min_size=POOL, max_size=POOL) as connections:
        await connections.execute(DEDUCT)

        async def call(number: int) -> None:
            assert await connections.fetchval("SELECT deduct_user_quota($1, 1)", user(number))

        yield Contender("deduct_user_quota, a call each, pool of 20", call, POOL)


async def fund(commits: Commits) -> None:
    """Gives every user credit to spend."""
    for number in range(USERS):
        order = GrantOrder(user(number), uuid4(), "chat", CREDIT, Source.PURCHASE)
        change = _granting(order)
        await commits.commit(single(order.user, change, Asked(), opens=True))


def _granting(order: GrantOrder) -> Callable[..., object]:
    return lambda account, now: grant(account, order, TARIFF, now)


async def reserved(commits: Commits, number: int) -> Reserved:
    """One unit reserved in process, as the service does it."""
    order = ReserveOrder(user(number), uuid4(), {"chat": 1}, timedelta(minutes=10))
    asked = Asked(new_holds=[(order.user, order.id)])
    operation = single(order.user, lambda account, now: reserve(account, order, TARIFF, now), asked, opens=True)
    outcome = await commits.commit(operation)
    assert isinstance(outcome, Reserved)
    return outcome


async def settled(commits: Commits, number: int, one: Reserved) -> None:
    order = SettleOrder(user(number), one.hold.id, {"chat": 1})
    asked = Asked(holds=[(order.user, order.hold)])
    await commits.commit(single(order.user, lambda account, now: settle(account, order, TARIFF, now), asked))


def inside(commits: Commits) -> Contender:
    held: list[tuple[int, Reserved]] = []

    async def call(number: int) -> None:
        held.append((number, await reserved(commits, number)))

    async def clear() -> None:
        await load.closed(lambda index: settled(commits, *held[index]), len(held), AT_ONCE)
        held.clear()

    return Contender("ledger in process, durable", call, AT_ONCE, clear=clear)


@asynccontextmanager
async def echoing() -> AsyncIterator[Contender]:
    with process("echo") as port:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            echo: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/bare.Echo/Echo")
            payload = reserve_request(0).SerializeToString()

            async def call(number: int) -> None:
                await echo(payload)

            yield Contender("bare gRPC echo", call, AT_ONCE)


@asynccontextmanager
async def calling(dsn: str, redis_url: str, certificates: Path) -> AsyncIterator[Contender]:
    with process("ledger", dsn, redis_url, str(certificates)) as port:
        own = Certificates(certificates / "chat")
        credentials = grpc.ssl_channel_credentials(
            own.authority.read_bytes(), own.key.read_bytes(), own.certificate.read_bytes()
        )
        async with grpc.aio.secure_channel(f"localhost:{port}", credentials) as channel:
            stub = QuotaServiceStub(channel)
            held: list[str] = []

            async def call(number: int) -> None:
                held.append((await stub.Reserve(reserve_request(number))).hold.name)

            async def clear() -> None:
                for begin in range(0, len(held), BATCH):
                    await stub.BatchSettle(settle_request(held[begin : begin + BATCH]))
                held.clear()

            yield Contender("ledger over gRPC, mutual TLS, durable", call, AT_ONCE, clear=clear)


def settle_request(holds: list[str]) -> quota_pb2.BatchSettleRequest:
    one = [quota_pb2.Amount(meter="chat", amount=1)]
    return quota_pb2.BatchSettleRequest(requests=[quota_pb2.SettleRequest(name=hold, amounts=one) for hold in holds])


def reserve_request(number: int) -> quota_pb2.ReserveRequest:
    return quota_pb2.ReserveRequest(
        parent=f"users/{user(number)}",
        request_id=str(uuid4()),
        amounts=[quota_pb2.Amount(meter="chat", amount=1)],
        time_to_live=timedelta(minutes=10),
    )


@contextmanager
def process(*arguments: str) -> Iterator[int]:
    """The port of a process of `benchmarks.quota_ledger` that lives as long as the block."""
    command = [sys.executable, "-m", "benchmarks.quota_ledger", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            yield int(running.stdout.readline())
        finally:
            running.terminate()


async def memory(commits: Commits, operations: int) -> list[float]:
    """Resident memory in MiB after each tenth of the operations, which are reserve and settle in turn."""
    samples = []

    async def call(number: int) -> None:
        await settled(commits, number, await reserved(commits, number))

    for _ in range(SAMPLES):
        await load.closed(call, operations // SAMPLES // 2, AT_ONCE)
        samples.append(psutil.Process().memory_info().rss / 2**20)
        print(f"memory: {samples[-1]:.0f} MiB", file=sys.stderr)
    return samples


async def main(options: argparse.Namespace) -> int:
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        dsn = stack.enter_context(engines.postgres(directory / "postgres"))
        redis_url = await stack.enter_async_context(engines.valkey(directory))
        members = ["edge", "chat", "quota"]
        making = [sys.executable, "-m", "mesh.certificates", "--directory", str(directory / "certificates"), *members]
        subprocess.run(making, check=True)  # noqa: ASYNC221 (nothing else runs yet)
        one, _ = await stack.enter_async_context(ledger(dsn))
        commits = await stack.enter_async_context(committing(one))
        await fund(commits)

        deduct = await stack.enter_async_context(deducting(dsn))
        own = inside(commits)
        echo = await stack.enter_async_context(echoing())
        outside = await stack.enter_async_context(calling(dsn, redis_url, directory / "certificates"))
        contenders = [deduct, own, echo, outside]
        for number in range(options.rounds):
            for contender in contenders:
                await contender.measured(options.seconds)
                rate = contender.results[-1].per_second
                print(f"round {number + 1}: {contender.name}: {rate:,.0f}/s", file=sys.stderr)
        half = outside.median.per_second / 2
        paced = []
        for _ in range(options.rounds):
            paced.append(await load.paced(outside.call, int(half * options.seconds), half))
            await outside.cleared()
        samples = await memory(commits, options.operations) if options.operations else []
    table = report.quota(deduct.median, own.median, echo.median, outside.median, load.median(paced), samples)
    print(table)
    if options.write:
        report.put(options.write, "quota", table)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="of each round")
    parser.add_argument("--rounds", type=int, default=3, help="whose medians are taken")
    parser.add_argument("--operations", type=int, default=1_000_000, help="under which memory is looked at")
    parser.add_argument("--write", type=Path, help="the page whose table is written anew")
    sys.exit(asyncio.run(main(parser.parse_args())))
