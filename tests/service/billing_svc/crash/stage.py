"""Two replicas of billing_svc on a Postgres of their own, all of which die, beside a quota_svc that does not."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import asyncpg
import grpc

from scenemesh.billing.v1.webhook_pb2_grpc import WebhookServiceStub
from scenemesh.quota.v1 import quota_pb2_grpc
from tests.harness.serving import Dial
from tests.service.billing_svc.crash.points import DIED, POINTS
from tests.service.billing_svc.quota import QuotaDesk
from tests.service.quota_svc.crash.database import Database
from tests.service.quota_svc.crash.member import Member

if TYPE_CHECKING:
    from scenemesh.billing.v1.webhook_pb2_grpc import WebhookServiceAsyncStub

START_SECONDS_MAX = 180.0
POLL_SECONDS = 0.05
PASSES_MAX = 12

STAGES = "CREATE TABLE public.stages (user_id text PRIMARY KEY, stage int NOT NULL)"


class Deaths:
    """Where processes are to die by themselves: at every point, in any order, and nowhere once it is `over`."""

    def __init__(self, folder: Path, random: Random) -> None:
        self.over = False
        self._folder = folder
        self._random = random

    def next(self) -> tuple[str, int]:
        """A point, and which passing of it is deadly."""
        died = self.died()
        left = [point for point in POINTS if not died[point]]
        if self.over or not left:
            return "", 0
        return self._random.choice(left), self._random.randint(1, PASSES_MAX)

    def died(self) -> Counter[str]:
        """How often somebody died at which point, as their logs say."""
        lines = [line for log in self._folder.glob("*.log") for line in log.read_text().splitlines()]
        return Counter(line.removeprefix(DIED) for line in lines if line.startswith(DIED))


class Replica:
    """One replica. Each of its lives has a port and a death of its own."""

    def __init__(self, name: str, folder: Path, arguments: list[str], deaths: Deaths, dial: AsyncExitStack) -> None:
        self.member = Member(name, self._start, self._ready)
        self.stub: WebhookServiceAsyncStub | None = None
        self._log = folder / f"{name}.log"
        self._ready_file = folder / f"{name}.ready"
        self._arguments = arguments
        self._deaths = deaths
        self._stack = dial

    async def _start(self) -> Process:
        self._ready_file.unlink(missing_ok=True)
        point, count = self._deaths.next()
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.service.billing_svc.crash.member"),
                *(*self._arguments, str(self._ready_file), point, str(count)),
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
            )

    async def _ready(self, process: Process) -> bool:
        try:
            address = self._ready_file.read_text().replace("127.0.0.1", "localhost")
        except OSError:
            return False
        self.stub = WebhookServiceStub(Dial(address, Path(self._arguments[1]), self._stack)("edge"))
        return True


@dataclass(frozen=True)
class Stage:
    """What runs, and how to reach it."""

    replicas: tuple[Replica, ...]
    database: Database
    desk: QuotaDesk
    deaths: Deaths

    @property
    def members(self) -> tuple[Member, ...]:
        """All that can be killed."""
        return (self.database.member, *(replica.member for replica in self.replicas))

    async def all_up(self) -> None:
        """Waits until everybody serves; TimeoutError when somebody does not come back."""
        async with asyncio.timeout(START_SECONDS_MAX):
            while not all(member.up.is_set() for member in self.members):
                await asyncio.sleep(POLL_SECONDS)

    async def connected(self) -> asyncpg.Connection[asyncpg.Record]:
        return await asyncpg.connect(self.database.dsn, server_settings={"search_path": "billing"})


@asynccontextmanager
async def stage(certificates: Path, folder: Path, random: Random) -> AsyncIterator[Stage]:
    """A stage on which everybody serves. Afterwards no process is left."""
    desk = QuotaDesk()  # type: ignore[abstract] # it is asked for nothing else
    async with AsyncExitStack() as stack:
        # Not below pytest's own folder: another run closes that to the user that Postgres runs as.
        data = stack.enter_context(TemporaryDirectory(prefix="scenemesh-postgres-"))
        database = await asyncio.to_thread(Database, Path(data))
        server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
        quota_pb2_grpc.add_QuotaServiceServicer_to_server(desk, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        stack.push_async_callback(server.stop, 0)

        deaths = Deaths(folder, random)
        arguments = [database.dsn, str(certificates), f"127.0.0.1:{port}"]
        names = ("billing-1", "billing-2")
        replicas = tuple(Replica(name, folder, arguments, deaths, stack) for name in names)
        found = Stage(replicas, database, desk, deaths)
        lives = [asyncio.create_task(member.run()) for member in found.members]
        stack.push_async_callback(_ended, lives)
        await found.all_up()
        connection = await found.connected()
        await connection.execute(STAGES)
        await connection.close()
        yield found


async def _ended(lives: list[asyncio.Task[None]]) -> None:
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
