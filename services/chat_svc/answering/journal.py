"""Live logs beyond their process: a Redis Stream for each answer.

An item of a stream holds the number of its first entry and the entries, so that a repeated item does no harm. Redis
being away costs watchers in other processes the live view and nobody anything else.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import structlog
from redis.asyncio import Redis

from runtime.errors import Unavailable
from services.chat_svc.answering.tails import FAULTS, START, Tails
from services.chat_svc.domain.conversation import Message
from services.chat_svc.domain.entry import Entry, from_json, to_json

log = structlog.get_logger()

LIFE_SECONDS = 3600
# The database has it all by then; whoever is still reading gets through.
LIFE_AFTER_END_SECONDS = 60

# What a stalled Redis may hold a live answer up for, and how seldom it may do so. A process that is busy takes its time
# to hear an answer, too, and must not take that for a fault: to say everything again would keep it busy.
WRITE_SECONDS_MAX = 2.0
PAUSE_SECONDS = 5.0

Batch = tuple[int, list[Entry]]


class Lull(Enum):
    """Why nothing comes: there was nothing for a while, or Redis cannot be read."""

    QUIET = "quiet"
    AWAY = "away"


@dataclass(frozen=True)
class _New:
    """What is to stand in the stream of an answer.

    `life_seconds` is from now on. None is as long as before: it goes into a stream that is there, or nowhere.
    """

    answer: UUID
    fields: dict[Any, Any]
    life_seconds: int | None


class Journal:
    """`writing` and `reading` are separate clients: reads block, and must not use up the connections for writes.

    One write is under way at a time. What all the live answers of the process have to say meanwhile shares the next.
    """

    def __init__(self, writing: Redis, reading: Redis) -> None:
        self._writing = writing
        self._tails = Tails(reading)
        self._away_until = 0.0
        self._new: list[_New] = []
        self._next: asyncio.Task[Sequence[bool]] | None = None
        self._one_at_a_time = asyncio.Lock()

    async def add(self, answer: UUID, entries: list[Entry], kept: int) -> int:
        """Adds what follows the first `kept` entries; gives how many the journal has now.

        After a fault that is 0: what a Redis that was away still has is not known, so the next call says it all again.
        To a Redis that has dropped the stream it is said at once, for there may be no next call.
        """
        for first in dict.fromkeys((kept, 0)):
            if self._rests():
                break
            fields = {"first": first + 1, "entries": json.dumps([to_json(entry) for entry in entries[first:]])}
            # No answer takes as long as what it is made with lives.
            if await self._written(_New(answer, fields, None if first else LIFE_SECONDS)):
                return len(entries)
        return 0

    async def end(self, answer: UUID) -> None:
        """Tells readers that the database has the whole answer."""
        await self._written(_New(answer, {"end": 1}, LIFE_AFTER_END_SECONDS))

    async def entries(self, answer: UUID) -> list[Entry]:
        """What the journal has of a live log; UNAVAILABLE when Redis is away."""
        try:
            items: Any = await self._writing.xrange(_key(answer))
        except FAULTS as error:
            raise Unavailable("The live log cannot be read just now.", reason="JOURNAL_UNAVAILABLE") from error
        return contiguous(batch for _, fields in items if (batch := _batch(fields)) is not None)

    async def follow(self, answer: UUID) -> AsyncGenerator[Batch | Lull, None]:
        """Batches of a live log as they come, from its beginning; ends at its end.

        A lull when nothing came for a while: the answer may have ended where this journal cannot tell.
        """
        place = START
        with self._tails.followed(_key(answer)) as tail:
            while True:
                items = await self._tails.after(tail, place)
                if not items:
                    yield Lull.AWAY if items is None else Lull.QUIET
                    continue
                for identifier, fields in items:
                    place = identifier
                    batch = _batch(fields)
                    if batch is None:
                        return
                    yield batch

    async def _written(self, new: _New) -> bool:
        """Whether Redis has it now."""
        if self._rests():
            return False
        place = len(self._new)
        self._new.append(new)
        if self._next is None:
            # In a context of its own: it is nobody's call.
            self._next = asyncio.create_task(self._write(), context=Context())
        # Whoever goes away takes nothing from the others.
        return (await asyncio.shield(self._next))[place]

    def _rests(self) -> bool:
        """Whether nobody asks Redis for a while, since it failed."""
        return asyncio.get_running_loop().time() < self._away_until

    async def _write(self) -> Sequence[bool]:
        """Writes what there is when the write before it is over; of each, whether Redis has it."""
        async with self._one_at_a_time:
            items, self._new, self._next = self._new, [], None
            try:
                async with asyncio.timeout(WRITE_SECONDS_MAX):
                    return await self._added(items)
            except FAULTS as error:
                log.warning("live logs not mirrored", answers=len(items), error=type(error).__name__)
            except Exception:
                # Of all the answers that share it none is to end for that.
                log.exception("defect in mirroring live logs", answers=len(items))
            self._away_until = asyncio.get_running_loop().time() + PAUSE_SECONDS
            return [False] * len(items)

    async def _added(self, items: Sequence[_New]) -> Sequence[bool]:
        async with self._writing.pipeline(transaction=False) as pipeline:
            for item in items:
                pipeline.xadd(_key(item.answer), item.fields, nomkstream=item.life_seconds is None)
                if item.life_seconds is not None:
                    pipeline.expire(_key(item.answer), item.life_seconds)
            replies = iter(await pipeline.execute())
        added = []
        for item in items:
            added.append(next(replies) is not None)
            if item.life_seconds is not None:
                next(replies)
        return added


def contiguous(batches: Iterable[Batch]) -> list[Entry]:
    """The live log that numbered batches make: `(number of the first entry, entries)`, repeats allowed.

    Ends at the first gap: what follows one cannot be numbered by a reader who has not seen what is missing.
    """
    log: list[Entry] = []
    for first, entries in sorted(batches, key=lambda batch: batch[0]):
        if first > len(log) + 1:
            break
        log += entries[len(log) + 1 - first :]
    return log


def latest(message: Message, journaled: Sequence[Entry]) -> list[Entry]:
    """What a live answer has said, as far as its journal and its row know: the row knows what was left last."""
    return [*(journaled if len(journaled) >= len(message.log) else message.log)]


def _key(answer: UUID) -> str:
    return f"chat:log:{answer}"


def _batch(fields: dict[bytes, bytes]) -> Batch | None:
    """The batch in an item; None for the one that marks the end."""
    if b"end" in fields:
        return None
    return int(fields[b"first"]), [from_json(entry) for entry in json.loads(fields[b"entries"])]
