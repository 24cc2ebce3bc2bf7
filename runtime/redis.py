"""Redis, with every limit said: no hidden retries, because a retried command may have run already."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

TIMEOUT_SECONDS = 2.0
CONNECTIONS_MAX = 64


class _Heedful(AbstractConnection):
    """Before Python 3.12, the client can swallow that its task is cancelled as it sends a command. Here it cannot."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            await super().send_packed_command(command, check_health)
        finally:
            if task and task.cancelling() > before:
                # The answer to what was sent would be read as that to the next command.
                await self.disconnect(nowait=True)
                raise asyncio.CancelledError


class _Plain(_Heedful, Connection):
    pass


class _Secure(_Heedful, SSLConnection):
    pass


class _Local(_Heedful, UnixDomainSocketConnection):
    pass


HEEDFUL = {Connection: _Plain, SSLConnection: _Secure, UnixDomainSocketConnection: _Local}


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Redis]:
    """A pooled client. Values are bytes. Blocking commands must wait for less than TIMEOUT_SECONDS."""
    limits: dict[str, Any] = {
        "max_connections": CONNECTIONS_MAX,
        "timeout": TIMEOUT_SECONDS,
        "socket_timeout": TIMEOUT_SECONDS,
        "socket_connect_timeout": TIMEOUT_SECONDS,
        "retry": Retry(NoBackoff(), 0),
    }
    options = {**limits, **parse_url(url)}
    options["connection_class"] = HEEDFUL[options.get("connection_class", Connection)]
    pool = BlockingConnectionPool(**options)
    try:
        async with Redis(connection_pool=pool) as redis:
            yield redis
    finally:
        await pool.aclose()
