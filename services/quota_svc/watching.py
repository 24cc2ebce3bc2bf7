"""Watching a quota: a change that any replica commits is told to everybody who watches it.

The replica that commits says the users' names over a Redis channel, and every replica looks at the ledger again for
those of its watchers who are among them. A name that is lost costs time, not truth: watchers look again by themselves,
sooner while Redis is away.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from runtime.errors import MeshError

log = structlog.get_logger()

CHANNEL = "quota:changed"
SEPARATOR = "\n"
LISTEN_SECONDS = 1.0
SPEAK_SECONDS = 0.01
RETRY_SECONDS = 0.5

# A sign of life goes out this often; without Redis, the ledger is looked at this often.
ALIVE_SECONDS = 20.0
LOOK_SECONDS = 2.0

# A watcher comes again before the deadline of the contract ends its stream without a last word.
WATCH_SECONDS_MAX = 3000.0

State = TypeVar("State")


@dataclass(frozen=True, slots=True)
class Finished:
    """The stream reached its age limit."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The stream ends because something broke."""

    error: MeshError


@dataclass(frozen=True, slots=True)
class Look(Generic[State]):
    """What a look at the ledger found, and when it must be looked at again though nobody changed anything."""

    state: State
    until: datetime


class Watching:
    """`clock` gives the present in UTC."""

    def __init__(self, redis: Redis, clock: Callable[[], datetime]) -> None:
        self._redis = redis
        self._clock = clock
        self._watchers: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._changed: set[str] = set()
        self._news = asyncio.Event()
        self._listening = False

    def changed(self, users: Sequence[str]) -> None:
        """Says that these users' quotas have changed; returns at once."""
        self._wake(users)
        self._changed.update(users)
        self._news.set()

    async def run(self) -> None:
        """Speaks to the other replicas, and listens to them, until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._speak())
            tasks.create_task(self._listen())

    async def follow(
        self, user: str, look: Callable[[], Awaitable[Look[State]]], seconds_max: float = WATCH_SECONDS_MAX
    ) -> AsyncIterator[State | Finished | Failed]:
        """What `look` finds: at once, after every change, at the time that it says itself, and as a sign of life."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds_max
        told: State | None = None
        told_at = 0.0
        with self._watcher(user) as news:
            while loop.time() < end:
                news.clear()
                try:
                    found = await look()
                except MeshError as error:
                    yield Failed(error)
                    return
                if found.state != told or loop.time() - told_at >= ALIVE_SECONDS:
                    told, told_at = found.state, loop.time()
                    yield found.state
                await _unless(news, min(self._patience(found), end - loop.time()))
        yield Finished()

    def _patience(self, found: Look[State]) -> float:
        """Seconds until the ledger is looked at without news."""
        due = max(0.0, (found.until - self._clock()).total_seconds())
        return min(due + 0.01, ALIVE_SECONDS if self._listening else LOOK_SECONDS)

    @contextmanager
    def _watcher(self, user: str) -> Iterator[asyncio.Event]:
        news = asyncio.Event()
        self._watchers[user].add(news)
        try:
            yield news
        finally:
            self._watchers[user].discard(news)
            if not self._watchers[user]:
                del self._watchers[user]

    def _wake(self, users: Sequence[str]) -> None:
        for user in users:
            for news in self._watchers.get(user, ()):
                news.set()

    async def _speak(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            users, self._changed = self._changed, set()
            # What cannot be said is not kept: those who would have heard it look by themselves while Redis is away.
            try:
                await self._redis.publish(CHANNEL, SEPARATOR.join(users))
            except (RedisError, OSError):
                pass
            except Exception:
                # Out of here it would end the process.
                log.exception("defect in telling changes to other replicas")
            await asyncio.sleep(SPEAK_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError) as error:
                if self._listening:
                    log.warning("changes of other replicas are not heard", error=str(error))
            except Exception:
                # Out of here it would end the process.
                log.exception("defect in hearing changes of other replicas")
            self._listening = False
            await asyncio.sleep(RETRY_SECONDS)

    async def _hear(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            self._listening = True
            # Whatever was said before this is lost, so everybody looks once.
            self._wake(list(self._watchers))
            while True:
                message = await channel.get_message(timeout=LISTEN_SECONDS)
                if message is not None:
                    self._wake(message["data"].decode(errors="replace").split(SEPARATOR))


async def _unless(event: asyncio.Event, seconds: float) -> None:
    """Waits for so long, or until the event."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
