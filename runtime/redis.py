"""Redis, with every limit said: no hidden retries, because a retried command may have run already."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.connection import AbstractConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeout

TIMEOUT_SECONDS = 2.0
CONNECTIONS_MAX = 64


class _Heedful(AbstractConnection):
    """Sends within its timeout, but not as the client does, which before Python 3.12 swallows a cancellation."""

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        seconds, self.socket_timeout = self.socket_timeout, None
        try:
            async with asyncio.timeout(seconds):
                await super().send_packed_command(command, check_health)
        except TimeoutError as error:
            raise RedisTimeout("Timeout writing to socket") from error
        finally:
            self.socket_timeout = seconds


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
