"""Following many streams of Redis over one connection, which all who follow anything in a process share.

What came last in a stream is kept for a moment, and whoever follows takes it from here. Whoever is slower than that
reads what it has missed by itself: nothing waits in memory for those who do not come for it.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import Context
from itertools import takewhile
from typing import Any
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

# Below the client's own limit on a reply.
BLOCK_MS = 500
BLOCK_SECONDS = BLOCK_MS / 1000
# Of one reply.
ITEMS_MAX = 500
# Of each stream.
KEPT_BYTES_MAX = 32 * 1024
# At a time: the pool has connections left for others.
REREADS_MAX = 16
BELL_SECONDS = 60

FAULTS = (RedisError, OSError, TimeoutError)

# An item's identifier.
Place = tuple[int, int]
START: Place = (0, 0)
Fields = dict[bytes, bytes]
Item = tuple[Place, Fields]


class Tail:
    """What came last in a stream: all items behind `start`, up to `place`."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.start = self.place = START
        self.followers = 0
        # Whether it has its part in the common reading yet.
        self.is_read = False
        self.changed = asyncio.Event()
        self._items: deque[Item] = deque()
        self._bytes = 0

    def add(self, items: list[Item]) -> None:
        """Adds what comes next."""
        self._items += items
        self._bytes += sum(map(_size_bytes, items))
        self.place = items[-1][0]
        while self._bytes > KEPT_BYTES_MAX:
            first = self._items.popleft()
            self._bytes -= _size_bytes(first)
            self.start = first[0]
        self.wake()

    def after(self, place: Place) -> list[Item]:
        """What is here of the items behind a place."""
        return [*takewhile(lambda item: item[0] > place, reversed(self._items))][::-1]

    def wake(self) -> None:
        """All who follow look again."""
        self.changed.set()
        self.changed = asyncio.Event()


class Tails:
    """The streams that somebody in this process follows; reads them for as long as there are any."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._tails: dict[str, Tail] = {}
        self._reader: asyncio.Task[None] | None = None
        self._rereads = asyncio.Semaphore(REREADS_MAX)
        self._away = False
        # A stream of this process alone, which is read with the others: its items say that there is more to read.
        self._bell = f"chat:bell:{uuid4()}"
        self._rung = START
        self._blocks = False

    @contextmanager
    def followed(self, key: str) -> Iterator[Tail]:
        """The tail of a stream, which is read while the block runs."""
        tail = self._tails.setdefault(key, Tail(key))
        tail.followers += 1
        try:
            yield tail
        finally:
            tail.followers -= 1
            if not tail.followers:
                del self._tails[key]

    async def after(self, tail: Tail, place: Place) -> list[Item] | None:
        """What stands behind a place as soon as there is something, nothing after a while; None when Redis is away."""
        until, is_over = asyncio.get_running_loop().time() + BLOCK_SECONDS, False
        await self._attend(tail)
        while True:
            if place < tail.start:
                return await self._missed(tail, place)
            if (items := tail.after(place)) or is_over:
                return items if items or not self._away else None
            is_over = not await _happens(tail.changed, until) or self._away

    async def _attend(self, tail: Tail) -> None:
        """Sees to it that a tail is read from now on."""
        if self._reader is None or self._reader.done():
            # In a context of its own: it is nobody's call.
            self._reader = asyncio.create_task(self._read_on(), context=Context())
        elif self._blocks and not tail.is_read:
            # Once: the others who come now are seen, too. Where it is not heard they wait for the end of the read.
            self._blocks = False
            with suppress(*FAULTS):
                await self._ring()

    async def _ring(self) -> None:
        async with asyncio.timeout(BLOCK_SECONDS), self._redis.pipeline(transaction=False) as pipeline:
            pipeline.xadd(self._bell, {"more": 1}, maxlen=1, approximate=False)
            pipeline.expire(self._bell, BELL_SECONDS)
            await pipeline.execute()

    async def _missed(self, tail: Tail, place: Place) -> list[Item] | None:
        """What stands behind a place before what is here: read for one who follows alone."""
        async with self._rereads:
            items = None if self._away else await self._reread(tail, place)
        # What Redis has lost meanwhile nobody can read.
        items = tail.after(tail.start) if items == [] else items
        if not items:
            await asyncio.sleep(BLOCK_SECONDS)
        return items

    async def _reread(self, tail: Tail, place: Place) -> list[Item] | None:
        try:
            found: Any = await self._redis.xread({tail.key: _name(place)}, count=ITEMS_MAX)
        except FAULTS as error:
            log.warning("live log not read", followed=1, error=type(error).__name__)
            return None
        return _items(found[0][1]) if found else []

    async def _read_on(self) -> None:
        self._away = False
        while self._tails:
            tails = dict(self._tails)
            try:
                await self._read(tails)
            except FAULTS as error:
                log.warning("live log not read", followed=len(tails), error=type(error).__name__)
            except Exception:
                log.exception("defect in reading live logs")
            else:
                self._away = False
                continue
            self._away = True
            for tail in self._tails.values():
                tail.wake()
            await asyncio.sleep(BLOCK_SECONDS)

    async def _read(self, tails: dict[str, Tail]) -> None:
        """Adds what comes next in any of the streams, as soon as something does."""
        places: dict[Any, Any] = {self._bell: _name(self._rung)}
        for tail in tails.values():
            places[tail.key], tail.is_read = _name(tail.place), True
        self._blocks = True
        try:
            found: Any = await self._redis.xread(places, count=max(1, ITEMS_MAX // len(tails)), block=BLOCK_MS)
        finally:
            self._blocks = False
        for key, items in found or ():
            if (tail_of_key := tails.get(key.decode())) is not None:
                tail_of_key.add(_items(items))
            else:
                self._rung = _items(items)[-1][0]


def _items(found: list[tuple[bytes, Fields]]) -> list[Item]:
    return [(_place(identifier), fields) for identifier, fields in found]


def _place(identifier: bytes) -> Place:
    milliseconds, _, number = identifier.partition(b"-")
    return int(milliseconds), int(number)


def _name(place: Place) -> str:
    return f"{place[0]}-{place[1]}"


def _size_bytes(item: Item) -> int:
    return sum(map(len, item[1].values()))


async def _happens(event: asyncio.Event, until: float) -> bool:
    """Whether it happens in time."""
    try:
        async with asyncio.timeout_at(until):
            return await event.wait()
    except TimeoutError:
        return False
