"""The model provider of `benchmarks/chat.py`: OpenAI's chat completions over HTTP/1.1, with as little work as can be.

    python -m benchmarks.chat_provider

prints its port and serves until it is ended. What it says stands in the person's last text: for `say 64 every 20 ms` it
says so many pieces, the first one at once and the others so far apart, for 0 ms all in one write. No two in a row are
the same: proxies take a model that repeats itself for a broken one. `POST /end` ends every answer that it is saying
just now, as a model ends one.
"""

from __future__ import annotations

import asyncio
import json
import re
from functools import cache

# What every piece begins with.
PIECE = " word"
SAID = re.compile(rb"say (\d+) every (\d+) ms")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
EMPTY = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def words(pieces: int, pace_ms: int) -> str:
    """The text that asks for such an answer."""
    return f"say {pieces} every {pace_ms} ms"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(**more: object) -> bytes:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mock"}
    return _chunk(f"data: {json.dumps(head | more, separators=(',', ':'))}\n\n".encode())


def _delta(delta: dict[str, str], reason: str | None = None) -> bytes:
    return _event(choices=[{"index": 0, "delta": delta, "finish_reason": reason}])


SAYING = (_delta({"content": PIECE}), _delta({"content": f"{PIECE}s"}))
OPENING = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    + _delta({"role": "assistant", "content": ""})
    + SAYING[0]
)


@cache
def _whole(pieces: int) -> bytes:
    """An answer that is said at once."""
    return OPENING + b"".join(SAYING[number % 2] for number in range(1, pieces)) + _closing(pieces)


@cache
def _closing(pieces: int) -> bytes:
    """The end of an answer that said so many."""
    usage = {"prompt_tokens": 12, "completion_tokens": pieces, "total_tokens": 12 + pieces}
    return _delta({}, "stop") + _event(choices=[], usage=usage) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class _Connection(asyncio.Protocol):
    """Answers one request at a time."""

    def __init__(self, live: set[_Connection]) -> None:
        self._loop = asyncio.get_running_loop()
        self._live = live
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._said = self._pieces = 0
        self._due = self._pace = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._silence()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or len(body) < (int(length[1]) if length else 0):
            return
        self._received = b""
        if head.startswith(b"POST /end "):
            for connection in list(self._live):
                connection.end()
            self._write(EMPTY)
        else:
            pieces, pace_ms = SAID.findall(body)[-1]
            self._answer(int(pieces), int(pace_ms))

    def end(self) -> None:
        """Ends the answer with what has been said."""
        self._silence()
        self._write(_closing(self._said))

    def _answer(self, pieces: int, pace_ms: int) -> None:
        if pace_ms == 0 or pieces == 1:
            self._write(_whole(pieces))
            return
        self._live.add(self)
        self._said, self._pieces, self._pace = 1, pieces, pace_ms / 1000
        self._write(OPENING)
        self._due = self._loop.time() + self._pace
        self._timer = self._loop.call_at(self._due, self._say)

    def _say(self) -> None:
        self._write(SAYING[self._said % 2])
        self._said += 1
        if self._said == self._pieces:
            self.end()
            return
        # By the plan, not from now: a late one takes none of its delay along.
        self._due += self._pace
        self._timer = self._loop.call_at(self._due, self._say)

    def _silence(self) -> None:
        self._live.discard(self)
        if self._timer is not None:
            self._timer.cancel()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


async def main() -> None:
    live: set[_Connection] = set()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(live), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
