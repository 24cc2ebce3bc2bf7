"""Answers over Server-Sent Events, read with as little work as can be: the same reader for whoever sends them.

A piece counts when its text is there, whether it came in an event of its own or with others.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.chat_provider import PIECE

WORD = PIECE.encode()
# What events with text have, and the last ones of OpenAI's protocol and of ours.
TEXT, ENDS = b'"delta"', (b"[DONE]", b'"finished"')


class Refused(Exception):
    """An answer that was not given, or broke off."""


@dataclass
class Heard:
    """One answer, as it comes: seconds of a clock that only goes forward, for every piece."""

    asked: float = 0.0
    pieces: list[float] = field(default_factory=list)
    ended: bool = False

    @property
    def first_seconds(self) -> float:
        """From the request to the first piece."""
        return self.pieces[0] - self.asked

    @property
    def gaps_seconds(self) -> list[float]:
        return [after - before for before, after in pairwise(self.pieces)]


class Connection(asyncio.Protocol):
    """One connection to `host:port`; carries one request at a time, and is opened again when it was closed."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port = host, int(port)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[None] | None = None
        self._heard = Heard()
        self._begin()

    def _begin(self) -> None:
        self._raw = bytearray()
        self._status: bytes = b""
        self._last = False
        self._line = b""

    async def open(self) -> None:
        if self._transport is None or self._transport.is_closing():
            await asyncio.get_running_loop().create_connection(lambda: self, self._host, self._port)

    async def ask(self, request: bytes, heard: Heard) -> None:
        """Sends a whole HTTP request and reads the answer to its end; Refused when there is none."""
        await self.open()
        assert self._transport is not None
        self._begin()
        self._heard = heard
        self._answer = asyncio.get_running_loop().create_future()
        heard.asked = time.perf_counter()
        self._transport.write(request)
        await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._over(Refused("the connection was closed before the end"))

    def data_received(self, data: bytes) -> None:
        self._raw += data
        if not self._status:
            head, found, rest = self._raw.partition(b"\r\n\r\n")
            if not found:
                return
            self._status, self._raw = bytes(head[9:12]), rest
        if self._status != b"200":
            self._over(Refused(f"{self._status.decode()}: {self._raw[:300].decode(errors='replace')}"))
            self.close()
            return
        now = time.perf_counter()
        self._read(self._chunks(), now)
        if self._last:
            self._over(None if self._heard.ended else Refused("the answer broke off"))

    def _chunks(self) -> bytes:
        """What stands in the chunks that are whole, which are then over."""
        chunks, at = [], 0
        while (begin := self._raw.find(b"\r\n", at) + 2) >= 2:
            length = int(self._raw[at : begin - 2], 16)
            if len(self._raw) < begin + length + 2:
                break
            chunks.append(self._raw[begin : begin + length])
            at = begin + length + 2
            self._last = length == 0
        del self._raw[:at]
        return b"".join(chunks)

    def _read(self, body: bytes, now: float) -> None:
        *lines, self._line = (self._line + body).split(b"\n")
        for line in lines:
            if TEXT in line:
                self._heard.pieces += [now] * line.count(WORD)
            elif any(end in line for end in ENDS):
                self._heard.ended = True

    def _over(self, error: Refused | None) -> None:
        if self._answer is None or self._answer.done():
            return
        if error is None:
            self._answer.set_result(None)
        else:
            self._answer.set_exception(error)


@asynccontextmanager
async def connections(address: str, number: int) -> AsyncIterator[list[Connection]]:
    """So many, open already, closed with the block."""
    opened = [Connection(address) for _ in range(number)]
    try:
        for connection in opened:
            await connection.open()
        yield opened
    finally:
        for connection in opened:
            connection.close()


def post(path: str, key: str, body: bytes) -> bytes:
    """A whole request with JSON in it."""
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n"
    return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
