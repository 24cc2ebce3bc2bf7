"""Postgres: a pool, and the schema revisions that must have run before it opens."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from runtime.errors import Unavailable

CONNECTIONS_MIN = 4
CONNECTIONS_MAX = 16
COMMAND_SECONDS = 5.0
# Which may include that a connection is opened.
ACQUIRE_SECONDS = 2.0
# Each use of a reserved connection. The database ends a statement a little before: who waited for a lock is told so in
# time, and keeps the connection.
RESERVED_SECONDS = 1.0
RESERVED_SHARE = 0.8
START_SECONDS = 30.0

# Replicas start together: whoever comes second waits, and finds nothing left to do.
MIGRATION_LOCK = 0x5CE_E3E5

# How Alembic runs revisions; each service's own folder holds nothing but them.
ENVIRONMENT = Path(__file__).parent / "migrations"

Pool = asyncpg.Pool

# What a database that is away looks like. A connection cut under a statement is an internal error of its client.
AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.DatabaseDroppedError,
)
RESTARTING = (asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)
BUSY = (asyncpg.TransactionRollbackError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
# Its disk or its memory is full, or a disk fails.
EXHAUSTED = (asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError)


@asynccontextmanager
async def pool(dsn: str, *, schema: str, migrations: Path) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A pool whose connections see `schema`, after the Alembic revisions in `migrations` have run.

    A database that is still starting is waited for; TimeoutError when it does not answer within START_SECONDS.
    """
    await ready(dsn, START_SECONDS)
    await migrate(dsn, schema=schema, migrations=migrations)
    async with asyncpg.create_pool(
        dsn,
        min_size=CONNECTIONS_MIN,
        max_size=CONNECTIONS_MAX,
        command_timeout=COMMAND_SECONDS,
        timeout=COMMAND_SECONDS,
        server_settings={"search_path": schema, "application_name": schema},
        reset=_as_it_is,
    ) as connections:
        yield connections


@asynccontextmanager
async def reserved(dsn: str, *, schema: str) -> AsyncIterator["asyncpg.Pool[asyncpg.Record]"]:
    """A pool of one connection, for what must not wait behind anything else; `at_once` gives it.

    It stays open, so that it is there when no new one can be had. The revisions of `schema` have run.
    """
    async with asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=1,
        max_inactive_connection_lifetime=0.0,
        command_timeout=COMMAND_SECONDS,
        timeout=COMMAND_SECONDS,
        server_settings={
            "search_path": schema,
            "application_name": schema,
            "statement_timeout": str(round(RESERVED_SECONDS * RESERVED_SHARE * 1000)),
        },
        reset=_as_it_is,
    ) as connections:
        yield connections


async def _as_it_is(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """What asyncpg sends between two uses of a connection undoes session state, and nothing of ours makes any."""


@asynccontextmanager
async def connection(connections: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
    """One connection of the pool; UNAVAILABLE when the database cannot work just now or all connections stay busy."""
    with _unavailable():
        one = await connections.acquire(timeout=ACQUIRE_SECONDS)
        try:
            yield one
        except BaseException:
            await asyncio.shield(_give_back_broken_off(connections, one))
            raise
        await connections.release(one)


@asynccontextmanager
async def at_once(connections: "asyncpg.Pool[asyncpg.Record]") -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
    """The connection of a `reserved` pool; UNAVAILABLE after RESERVED_SECONDS, too, whatever the database does.

    One that does not answer in time is closed: the next use begins with another.
    """
    with _unavailable():
        async with asyncio.timeout(RESERVED_SECONDS):
            one = await connections.acquire()
            try:
                yield one
            except BaseException as error:
                if not isinstance(error, asyncpg.PostgresError):
                    one.terminate()
                raise
            finally:
                await connections.release(one)


@contextmanager
def _unavailable() -> Iterator[None]:
    """UNAVAILABLE where the database cannot work just now."""
    try:
        yield
    except AWAY as error:
        raise Unavailable("The database cannot be reached just now.", reason="DATABASE_UNAVAILABLE") from error
    except RESTARTING as error:
        raise Unavailable("The database is restarting.", reason="DATABASE_UNAVAILABLE") from error
    except BUSY as error:
        raise Unavailable("The database is busy.", reason="DATABASE_UNAVAILABLE") from error
    except EXHAUSTED as error:
        raise Unavailable("The database has no room to work.", reason="DATABASE_UNAVAILABLE") from error


async def _give_back_broken_off(
    connections: "asyncpg.Pool[asyncpg.Record]", one: asyncpg.pool.PoolConnectionProxy
) -> None:
    """Gives back a connection whose use did not come to its end.

    A user who is cancelled between a statement's preparation and its execution leaves the server in a transaction that
    the client does not know of; any simple query ends it.
    """
    try:
        with suppress(*AWAY, asyncpg.PostgresError):
            await one.execute("SELECT")
    finally:
        await connections.release(one)


async def migrate(dsn: str, *, schema: str, migrations: Path) -> None:
    """Brings `schema` to the newest revision. Safe to run in every replica at once."""
    async with create_async_engine(_sqlalchemy_url(dsn)).connect() as connection:
        await connection.run_sync(_upgrade, schema, migrations)
        await connection.commit()
    await connection.engine.dispose()


def _upgrade(connection: Connection, schema: str, migrations: Path) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
    config = Config()
    config.set_main_option("script_location", str(ENVIRONMENT))
    config.set_main_option("version_locations", str(migrations))
    config.set_main_option("path_separator", "newline")
    config.attributes["connection"] = connection
    config.attributes["schema"] = schema
    command.upgrade(config, "head")


def _sqlalchemy_url(dsn: str) -> str:
    return dsn.replace("postgresql://", "postgresql+asyncpg://", 1)


async def ready(dsn: str, seconds: float) -> None:
    """Waits until the database answers; TimeoutError when it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                one = await asyncpg.connect(dsn, timeout=seconds)
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(0.05)
            else:
                await one.close()
                return
