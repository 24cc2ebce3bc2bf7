"""A server that answers every request with bytes as a test has them, whether they are HTTP or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from services.chat_svc.domain.model import Limits, Model, Wire

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"
PING_SECONDS = 0.01


def chunk(sent: bytes) -> bytes:
    return f"{len(sent):x}\r\n".encode() + sent + b"\r\n"


def event(told: Any) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def choice(text: object = None, reason: object = None, **more: Any) -> bytes:
    """A chunk of OpenAI's wire."""
    delta = {} if text is None else {"content": text}
    return event({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more})


class Raw:
    """Sends its `reply` and closes the connection; with `pings` it goes on with comments until nobody listens."""

    def __init__(self) -> None:
        self.port = 0
        self.reply = b""
        self.pings = False
        self.asked = 0

    def model(self, wire: Wire) -> Model:
        path = "" if wire is Wire.ANTHROPIC else "/v1"
        return Model("broken", wire, "m", f"http://127.0.0.1:{self.port}{path}", 8_000, 500, Limits(60.0, 60.0))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Whoever asks may go away at any time.
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            self.asked += 1
            writer.write(self.reply)
            await writer.drain()
            while self.pings and not reader.at_eof():
                writer.write(chunk(b": still here\n\n"))
                await writer.drain()
                await asyncio.sleep(PING_SECONDS)
        writer.close()


@asynccontextmanager
async def sending() -> AsyncIterator[Raw]:
    raw = Raw()
    async with await asyncio.start_server(raw.serve, "127.0.0.1", 0) as server:
        raw.port = server.sockets[0].getsockname()[1]
        yield raw
