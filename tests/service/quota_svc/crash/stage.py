"""Everything that quota_svc is made of, as processes: two replicas on a database of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scenemesh.billing.v1.billing_pb2 import PERIOD_DAY, PERIOD_MONTH, Allowance, Plan
from tests.harness import engines
from tests.service.quota_svc.billing import Billing
from tests.service.quota_svc.crash.database import Database
from tests.service.quota_svc.crash.member import Member
from tests.service.quota_svc.crash.replicas import Replica, control_plane

START_SECONDS_MAX = 180.0
POLL_SECONDS = 0.05

PLANS = (
    Plan(
        name="plans/free",
        display_name="Free",
        allowances=[Allowance(meter="chat", amount=5, period=PERIOD_DAY)],
        context_tokens=12_000,
    ),
    Plan(
        name="plans/pro",
        display_name="Pro",
        allowances=[
            Allowance(meter="chat", unlimited=True, period=PERIOD_DAY),
            Allowance(meter="chat_premium", amount=100, period=PERIOD_MONTH),
        ],
        context_tokens=64_000,
    ),
)


@dataclass(frozen=True)
class Stage:
    """What runs, and how to reach it."""

    replicas: tuple[Replica, ...]
    database: Database
    redis_url: str

    @property
    def members(self) -> tuple[Member, ...]:
        """All that can be killed."""
        return (self.database.member, *(replica.member for replica in self.replicas))

    async def all_up(self) -> None:
        """Waits until everybody serves; TimeoutError when somebody does not come back."""
        async with asyncio.timeout(START_SECONDS_MAX):
            while not all(member.up.is_set() for member in self.members):
                await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def stage(certificates: Path, directory: Path, replicas: int = 2) -> AsyncIterator[Stage]:
    """A stage on which everybody serves. Afterwards no process is left."""
    billing = Billing()  # type: ignore[abstract] # it is asked for nothing else
    billing.plans = list(PLANS)
    async with AsyncExitStack() as stack:
        # Not below pytest's own folder: another run closes that to the user that Postgres runs as.
        data = stack.enter_context(TemporaryDirectory(prefix="scenemesh-postgres-"))
        database = await asyncio.to_thread(Database, Path(data))
        redis_url = await stack.enter_async_context(engines.valkey(directory))
        environment = {
            "SCENEMESH_CONTROL_PLANE": await stack.enter_async_context(control_plane(certificates, billing)),
            "SCENEMESH_POSTGRES_DSN": database.dsn,
            "SCENEMESH_REDIS_URL": redis_url,
        }
        names = [f"quota-{number}" for number in range(1, replicas + 1)]
        built = [Replica(name, directory, certificates, environment, stack) for name in names]
        found = Stage(tuple(built), database, redis_url)
        lives = [asyncio.create_task(member.run()) for member in found.members]
        stack.push_async_callback(_ended, lives)
        await found.all_up()
        yield found


async def _ended(lives: list[asyncio.Task[None]]) -> None:
    for life in lives:
        life.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
