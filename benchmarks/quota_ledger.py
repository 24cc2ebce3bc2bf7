"""The ledger for benchmarks: in this process, or as a process that serves it; and the echo that it is compared with.

`python -m benchmarks.quota_ledger ledger DSN REDIS CERTIFICATES` and `python -m benchmarks.quota_ledger echo` print the
port that they serve on, and serve until they are ended.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import grpc

from runtime import logs, redis
from runtime.events.relay import Relay
from runtime.postgres import Pool, pool
from runtime.process import settled
from runtime.serve import serving
from runtime.settings import ProcessSettings
from scenemesh.quota.v1 import quota_pb2_grpc
from services.quota_svc.announcing import Announcing
from services.quota_svc.commits import Commits
from services.quota_svc.domain.calendar import Period
from services.quota_svc.domain.plan import Allowance, Plan, PlanTable, Tariff
from services.quota_svc.meters import meters
from services.quota_svc.servicer import SERVICE, QuotaServicer
from services.quota_svc.store import MIGRATIONS, SCHEMA, History, Ledger, Written
from services.quota_svc.watching import Watching

FREE = Plan("plans/free", "Free", {"chat": Allowance("chat", 5, Period.DAY)}, 12_000)
TARIFF = Tariff(PlanTable([FREE]), meters())

Changed = Callable[[Written], None]

clock = partial(datetime.now, UTC)


@asynccontextmanager
async def ledger(dsn: str) -> AsyncIterator[tuple[Ledger, Pool]]:
    """A ledger in the database, its schema made if need be."""
    async with pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections:
        yield Ledger(connections, Announcing(clock, uuid4).messages), connections


@asynccontextmanager
async def committing(one: Ledger, changed: Changed = lambda written: None) -> AsyncIterator[Commits]:
    """Group commit on the ledger."""
    commits = Commits(one, lambda: TARIFF, clock, changed)
    task = asyncio.create_task(commits.run())
    try:
        yield commits
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def serve_ledger(dsn: str, redis_url: str, certificates: Path) -> None:
    """Serves quota_svc as `python -m services.quota_svc` does, but for the plan table, which is fixed."""
    async with ledger(dsn) as (one, connections), redis.connect(redis_url) as live, AsyncExitStack() as stack:
        relay, watching = Relay(connections, live), Watching(live, clock)

        def changed(written: Written) -> None:
            watching.changed(written.users)
            if written.told:
                relay.nudge()

        commits = await stack.enter_async_context(committing(one, changed))
        background = [asyncio.create_task(work()) for work in (relay.run, watching.run)]
        history = History(connections)
        servicer = QuotaServicer(one, history, commits, commits, watching, lambda: TARIFF, clock)
        register = partial(quota_pb2_grpc.add_QuotaServiceServicer_to_server, servicer)
        settings = ProcessSettings(certificates=certificates / "quota", redis_url=redis_url)
        async with serving(settings, register, [SERVICE]) as server:
            settled()
            print(server.address.rpartition(":")[2], flush=True)
            await asyncio.gather(*background)


async def serve_echo() -> None:
    """Serves what gives back the bytes that it gets: no TLS, no interceptors, no messages."""

    async def echo(request: bytes, context: object) -> bytes:
        return request

    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bare.Echo", {"Echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    logs.configure("benchmark", "WARNING")
    match sys.argv[1:]:
        case ["echo"]:
            asyncio.run(serve_echo())
        case ["ledger", dsn, redis_url, certificates]:
            asyncio.run(serve_ledger(dsn, redis_url, Path(certificates)))
