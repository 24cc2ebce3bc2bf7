"""One group's way through one stream.

Of a group's processes, one at a time works on a stream: a lock of the database session in which the effects happen
lets it. So order is kept, and whoever comes next begins with what its predecessor read and did not finish, without a
lease that has to run out first. To Redis the group is a single consumer, whoever works for it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from asyncpg.pool import PoolConnectionProxy
from opentelemetry import metrics
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from runtime.errors import Unavailable
from runtime.events.dead import Letter, bury
from runtime.events.envelope import ENVELOPE, GROUP, opened, stream
from runtime.events.handling import Handling, described
from runtime.events.outage import CUT, FAULTS, Outage
from runtime.postgres import connection
from runtime.telemetry import SCOPE
from scenemesh.events.v1.envelope_pb2 import Envelope

log = structlog.get_logger()

# Below the client's own limit on a reply.
BLOCK_MS = 500
# How often to look for a retry that is due, or for what a process left that died.
RETRY_POLL_MS = 100
# How long to leave alone what another process works on.
FOLLOW_SECONDS = 0.1
BATCH_ENTRIES = 100
# Events that wait for another try, and those of the same subjects behind them. When it is full, the stream waits.
PENDING_ENTRIES_MAX = 1000

LOCK = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/inbox/' || $1, 0))"


@dataclass(frozen=True)
class Entry:
    """An entry of the stream; `deliveries` counts this one."""

    id: bytes
    fields: dict[bytes, bytes]
    deliveries: int

    @property
    def payload(self) -> bytes:
        return self.fields.get(ENVELOPE, b"")


@dataclass(frozen=True)
class Pending:
    """An entry that was delivered and not finished."""

    id: bytes
    deliveries: int
    idle_ms: int


class Reading:
    """`waiting` is the client for reads that block.

    `retry_seconds` are the waits between deliveries; the delivery after the last of them is the last.
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        redis: Redis,
        waiting: Redis,
        handling: Handling,
        topic: str,
        retry_seconds: Sequence[float],
    ) -> None:
        self._pool = pool
        self._redis = redis
        self._waiting = waiting
        self._handling = handling
        self._group = handling.group
        self._topic = topic
        self._stream = stream(topic)
        self._retry_seconds = tuple(retry_seconds)
        self._outage = Outage(f"{self._group} does not read {self._stream}")
        # The subjects of pending entries, so that what is not due need not be fetched to know whom it holds up.
        self._subjects: dict[bytes, str] = {}
        self._joined = False
        self._trimmed_told = 0
        self._labels = {"group": self._group, "topic": topic}
        meter = metrics.get_meter(SCOPE)
        self._gaps = meter.create_counter("events.gaps")
        self._buried = meter.create_counter("events.dead_letters")

    async def run(self) -> None:
        """Reads until cancelled; an outage of Redis or Postgres delays, and loses nothing."""
        while True:
            try:
                await self._turn()
            except FAULTS as error:
                await self._outage.wait(error)
            except Exception as error:
                # Out of here it would end the process.
                log.exception("defect in reading events", **self._labels)
                await self._outage.wait(error)
            else:
                self._outage.over()

    async def _turn(self) -> None:
        """Waits until there is something to do, and does it."""
        last, pending = await self._position()
        block_ms = RETRY_POLL_MS if pending else BLOCK_MS
        news = await self._waiting.xread({self._stream: last}, count=1, block=block_ms)
        if (news or pending) and not await self._work():
            await asyncio.sleep(FOLLOW_SECONDS)

    async def _work(self) -> bool:
        """Handles all that is due; False when another process is at it."""
        async with connection(self._pool) as database:
            # The pool unlocks whatever a connection still holds when it comes back.
            if not await database.fetchval(LOCK, f"{self._group}/{self._stream}"):
                return False
            while await self._batch(database):
                self._outage.over()
            return True

    async def _batch(self, database: PoolConnectionProxy) -> bool:
        """Handles what is due again, then what is new; False when nothing is new."""
        held_up: set[str] = set()
        pending = await self._pending()
        self._subjects = {one.id: self._subjects[one.id] for one in pending if one.id in self._subjects}
        for one in pending:
            await self._again(database, one, held_up)
        room = min(PENDING_ENTRIES_MAX - len(pending), BATCH_ENTRIES)
        fresh = await self._fresh(room) if room > 0 else []
        await self._acknowledge([entry.id for entry in fresh if await self._done(database, entry, held_up)])
        return bool(fresh)

    async def _again(self, database: PoolConnectionProxy, pending: Pending, held_up: set[str]) -> None:
        """Handles a pending entry, if it is due and no earlier one of its subject waits."""
        subject = self._subjects.get(pending.id)
        if subject is None:
            subject = await self._subject(pending.id)
        wait_seconds = self._retry_seconds[min(pending.deliveries, len(self._retry_seconds)) - 1]
        if subject in held_up or pending.idle_ms < wait_seconds * 1000:
            held_up.add(subject)
            return
        # Counted before it is tried, so that an event that kills its process is given up, too.
        claimed: Any = await self._redis.xclaim(self._stream, self._group, self._group, 0, [pending.id])
        if not claimed:
            self._missed(1, "trimmed away while it waited for another try")
            await self._acknowledge([pending.id])
        elif await self._done(database, Entry(pending.id, claimed[0][1], pending.deliveries + 1), held_up):
            await self._acknowledge([pending.id])

    async def _done(self, database: PoolConnectionProxy, entry: Entry, held_up: set[str]) -> bool:
        """Handles an entry, or leaves it for later behind an earlier one of its subject; whether it is done with."""
        if entry.fields.get(GROUP, self._group.encode()) != self._group.encode():
            return True
        try:
            event = opened(entry.payload)
        except ValueError as error:
            await self._bury(entry, described(error))
            return True
        if event.subject in held_up or not await self._handled(database, entry, event):
            held_up.add(event.subject)
            self._subjects[entry.id] = event.subject
            return False
        return True

    async def _handled(self, database: PoolConnectionProxy, entry: Entry, event: Envelope) -> bool:
        """Whether the event needs no other delivery: it was handled, or goes to the dead letters."""
        try:
            await self._handling.once(database, event)
        except Exception as error:
            if database.is_closed() or isinstance(error, CUT):
                raise Unavailable("The database went away.", reason="DATABASE_UNAVAILABLE") from error
            if entry.deliveries > len(self._retry_seconds):
                await self._bury(entry, described(error))
                return True
            told = {"event_id": event.id, "type": event.type, "deliveries": entry.deliveries}
            log.warning("events: not handled", group=self._group, error=described(error), **told)
            return False
        return True

    async def _bury(self, entry: Entry, error: str) -> None:
        letter = Letter(self._topic, "", self._group, error, entry.deliveries, entry.id.decode(), entry.payload)
        await bury(self._redis, letter)
        self._buried.add(1, self._labels)
        log.error("events: dead letter", error=error, deliveries=entry.deliveries, **self._labels)

    async def _acknowledge(self, entries: list[bytes]) -> None:
        if entries:
            await self._redis.xack(self._stream, self._group, *entries)

    async def _pending(self) -> list[Pending]:
        found: Any = await self._redis.xpending_range(self._stream, self._group, "-", "+", PENDING_ENTRIES_MAX)
        return [Pending(one["message_id"], one["times_delivered"], one["time_since_delivered"]) for one in found]

    async def _subject(self, identifier: bytes) -> str:
        """The subject of an entry; empty where the entry cannot tell."""
        found: Any = await self._redis.xrange(self._stream, identifier, identifier)
        try:
            return opened(found[0][1].get(ENVELOPE, b"")).subject
        except (ValueError, LookupError):
            return ""

    async def _fresh(self, count: int) -> list[Entry]:
        """Entries that no process of the group has read."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xinfo_stream(self._stream)
            pipeline.xinfo_groups(self._stream)
            pipeline.xreadgroup(self._group, self._group, {self._stream: ">"}, count=count)
            info, groups, read = await pipeline.execute()
        own = next(group for group in groups if group["name"] == self._group.encode())
        self._compare(_trimmed(info), own["entries-read"])
        return [Entry(identifier, fields, 1) for identifier, fields in (read[0][1] if read else [])]

    def _compare(self, trimmed: int, entries_read: int | None) -> None:
        """Tells it when the stream was trimmed beyond what the group has read."""
        # Some servers count what the group has read without what it has missed: each gap is told once all the same.
        missed = trimmed - max(entries_read or 0, self._trimmed_told)
        if entries_read is not None and missed > 0:
            self._trimmed_told = trimmed
            self._missed(missed, "trimmed away before they were read")

    def _missed(self, count: int, why: str) -> None:
        self._gaps.add(1, self._labels)
        log.error("events: gap", missed=count, why=why, **self._labels)

    async def _position(self) -> tuple[bytes, int]:
        """The id of the last entry that the group has read, and how many are pending. Makes the group if need be."""
        while True:
            try:
                groups: Any = await self._redis.xinfo_groups(self._stream)
            except ResponseError as error:
                if "no such key" not in str(error):
                    raise
                groups = []
            for group in groups:
                if group["name"] == self._group.encode():
                    self._joined = True
                    return group["last-delivered-id"], group["pending"]
            await self._join()

    async def _join(self) -> None:
        """Makes the group, at the beginning of the stream: what was published before the first start counts, too."""
        if self._joined:
            self._missed(0, "the group is gone, and with it how far it had read")
        self._trimmed_told = 0
        try:
            entries_read = _trimmed(await self._redis.xinfo_stream(self._stream))
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            entries_read = 0
        try:
            await self._redis.xgroup_create(self._stream, self._group, "0", mkstream=True, entries_read=entries_read)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def _trimmed(info: dict[str, int]) -> int:
    """How many entries a stream has lost at its beginning."""
    return info["entries-added"] - info["length"]
