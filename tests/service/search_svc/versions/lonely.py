"""A process that builds what is wanted and does nothing else: `python -m … DSN REDIS_URL DIRECTORY`."""

import asyncio
import sys
from pathlib import Path

from runtime import redis
from runtime.postgres import pool
from services.search_svc.store import MIGRATIONS, SCHEMA
from services.search_svc.versions.process import BuildProcess
from tests.service.search_svc.versions.workshop import Clock, replica

STANDSTILL = (sys.executable, "-m", "tests.service.search_svc.versions.standstill")


async def main(dsn: str, redis_url: str, directory: Path) -> None:
    async with pool(dsn, schema=SCHEMA, migrations=MIGRATIONS) as connections, redis.connect(redis_url) as live:
        work = BuildProcess(dsn, directory, command=STANDSTILL)
        one = replica(connections, live, directory, Clock(), work)
        await one.building.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
