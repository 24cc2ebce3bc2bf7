"""Redis, in memory, as far as the journal and the word of a stop use it: streams, and a channel."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis.exceptions import ConnectionError as RedisConnectionError

from tests.unit.chat_svc.simulation.line import Line

TIMEOUT_SECONDS = 2.0

Item = tuple[bytes, dict[bytes, bytes]]
Value = TypeVar("Value")


def redis_away() -> Exception:
    return RedisConnectionError("Down.")


@dataclass
class Streams:
    """What the server holds: items by key, when keys end, who waits for more of what, and who listens."""

    items: dict[str, list[Item]] = field(default_factory=dict)
    expire: dict[str, float] = field(default_factory=dict)
    waiting: dict[str, list[asyncio.Future[None]]] = field(default_factory=dict)
    heard: list[tuple[str, Channel]] = field(default_factory=list)

    def add(self, key: str, fields: dict[Any, Any], *, only_there: bool) -> bytes | None:
        kept = self.after(key, 0)
        if only_there and not kept:
            return None
        kept.append((f"{len(kept) + 1}-0".encode(), {_bytes(name): _bytes(value) for name, value in fields.items()}))
        self.items[key] = kept
        self._wake(key)
        return kept[-1][0]

    def after(self, key: str, place: int) -> list[Item]:
        """The items of a key behind so many; a key whose time is over has none."""
        if self.expire.get(key, float("inf")) <= asyncio.get_running_loop().time():
            del self.items[key], self.expire[key]
        return self.items.get(key, [])[place:]

    def publish(self, name: str, word: str) -> int:
        """How many hear it."""
        listening = [channel for heard, channel in self.heard if heard == name]
        for channel in listening:
            channel.words.append({"data": word.encode()})
        self._wake(name)
        return len(listening)

    def wake(self) -> None:
        """All that wait look again."""
        for name in list(self.waiting):
            self._wake(name)

    def _wake(self, name: str) -> None:
        for one in self.waiting.pop(name, ()):
            _done(one)


class Client:
    """One process's client."""

    def __init__(self, streams: Streams, line: Line) -> None:
        self._streams = streams
        self._line = line

    def pipeline(self, *, transaction: bool) -> Pipeline:
        assert not transaction
        return Pipeline(self._streams, self._line)

    async def xrange(self, key: str) -> list[Item]:
        return await self._line.call(lambda: self._streams.after(key, 0), TIMEOUT_SECONDS)

    async def xread(self, read: dict[str, str], count: int, block: int | None = None) -> list[tuple[bytes, list[Item]]]:
        places = {key: int(position.partition("-")[0]) for key, position in read.items()}

        def look() -> list[tuple[bytes, list[Item]]]:
            found = {key: self._streams.after(key, place)[:count] for key, place in places.items()}
            return [(key.encode(), items) for key, items in found.items() if items]

        if block is None:
            return await self._line.call(look, TIMEOUT_SECONDS)
        return await self.blocking(tuple(read), look, block / 1000)

    async def publish(self, channel: str, word: str) -> int:
        return await self._line.call(lambda: self._streams.publish(channel, word), TIMEOUT_SECONDS)

    def pubsub(self) -> Channel:
        return Channel(self, self._streams, self._line)

    async def blocking(self, names: Sequence[str], look: Callable[[], Value], seconds: float) -> Value:
        """What there is, as soon as there is something, or after so many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            if self._line.is_down:
                raise self._line.fault()
            found = look() if not self._line.cut else None
            if found or (found is not None and loop.time() >= until):
                return found
            more = loop.create_future()
            for name in names:
                self._streams.waiting.setdefault(name, []).append(more)
            timer = loop.call_at(until, _done, more)
            try:
                await more
            finally:
                timer.cancel()


class Pipeline:
    """Commands that are sent together; any of them may be the last that arrives."""

    def __init__(self, streams: Streams, line: Line) -> None:
        self._streams = streams
        self._line = line
        self._commands: list[Callable[[], Any]] = []

    async def __aenter__(self) -> Pipeline:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._commands.clear()

    def xadd(self, key: str, fields: dict[Any, Any], *, nomkstream: bool = False, **_: Any) -> None:
        self._commands.append(lambda: self._streams.add(key, fields, only_there=nomkstream))

    def expire(self, key: str, seconds: int) -> None:
        until = asyncio.get_running_loop().time() + seconds
        self._commands.append(lambda: self._streams.expire.__setitem__(key, until))

    async def execute(self) -> list[Any]:
        commands = tuple(self._commands)
        return await self._line.call(lambda: [command() for command in commands], TIMEOUT_SECONDS)


class Channel:
    """Somebody who listens; what is said while they do not is lost."""

    def __init__(self, client: Client, streams: Streams, line: Line) -> None:
        self.words: deque[dict[str, bytes]] = deque()
        self._name = ""
        self._client = client
        self._streams = streams
        self._line = line

    async def __aenter__(self) -> Channel:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._streams.heard = [(name, channel) for name, channel in self._streams.heard if channel is not self]

    async def subscribe(self, name: str) -> None:
        self._name = name
        await self._line.call(lambda: self._streams.heard.append((name, self)), TIMEOUT_SECONDS)

    async def get_message(self, *, ignore_subscribe_messages: bool, timeout: float) -> dict[str, bytes] | None:
        assert ignore_subscribe_messages
        await self._client.blocking((self._name,), lambda: bool(self.words), timeout)
        return self.words.popleft() if self.words else None


def _bytes(value: str | int | bytes) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
