"""Requests over HTTP/1.1 with as little work as can be, so that the client is not what is measured."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


class Posting:
    """Connections to one server; each carries one request at a time."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._idle: deque[_Connection] = deque()
        self._all: list[_Connection] = []

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer."""
        connection = None
        while self._idle and (connection is None or connection.is_closed):
            connection = self._idle.pop()
        if connection is None or connection.is_closed:
            connection = await self._opened()
        status = await connection.post(path, headers, body)
        self._idle.append(connection)
        return status

    async def _opened(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port)
        self._all.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._all:
            connection.close()


@asynccontextmanager
async def posting(address: str) -> AsyncIterator[Posting]:
    """Connections to `host:port`, closed with the block."""
    host, _, port = address.rpartition(":")
    client = Posting(host, int(port))
    try:
        yield client
    finally:
        client.close()


class _Connection(asyncio.Protocol):
    """Knows answers with a content-length, and chunked ones."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @property
    def is_closed(self) -> bool:
        """Whether the server has closed it while it was idle."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        assert self._transport is not None
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {len(body)}\r\n{lines}\r\n"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head.encode() + body)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, rest = self._received.partition(b"\r\n\r\n")
        if found and _whole(head.lower(), rest) and self._answer is not None:
            self._answer.set_result(int(head[9:12]))
            self._answer, self._received = None, b""

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("closed before the answer"))


def _whole(head: bytes, rest: bytes) -> bool:
    """Whether all of a body is there."""
    if b"transfer-encoding: chunked" in head:
        return rest.endswith(b"0\r\n\r\n")
    _, found, after = head.partition(b"content-length:")
    return len(rest) >= (int(after.split(b"\r\n", 1)[0]) if found else 0)
