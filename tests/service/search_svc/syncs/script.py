"""Sources that do what a test tells them, and processes that work at syncs with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from runtime.errors import Unavailable
from runtime.events.envelope import opened
from runtime.postgres import Pool
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.search_svc.announcing import Announcing
from services.search_svc.domain.entries import Character, Kind, Title
from services.search_svc.domain.sync import Mode, Order, State, Sync
from services.search_svc.sources.source import Batch, Cursor
from services.search_svc.store import Catalogue, Syncs, Work
from services.search_svc.syncing import Pace, Syncing

PATIENCE_SECONDS = 90
PACE = Pace(poll_seconds=0.02, beat_seconds=0.02)
# One that is not heard of while it waits for its source.
SILENT = replace(PACE, beat_seconds=3600)


@dataclass
class Clock:
    """A clock that a test sets. It goes on a little at every look, so that nothing happens twice at one moment."""

    now: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


Step = Batch | Exception | Callable[[], Awaitable[object]]


@dataclass
class Script:
    """A source that gives batches, fails, or waits, step by step; a cursor says how many batches came before."""

    steps: Sequence[Step] = ()
    name: str = "tmdb"
    precedence: int = 5
    complete: bool = False
    asked: list[tuple[Mode, Cursor, int, datetime | None]] = field(default_factory=list)
    closed: int = 0

    async def batches(
        self, mode: Mode, cursor: Cursor, titles_max: int, since: datetime | None
    ) -> AsyncIterator[Batch]:
        self.asked.append((mode, cursor, titles_max, since))
        before, given = cursor.get("given", 0), 0
        assert isinstance(before, int)
        try:
            for step in self.steps:
                if isinstance(step, Batch):
                    given += 1
                    if given > before:
                        yield replace(step, cursor={"given": given})
                elif isinstance(step, Exception):
                    raise step
                else:
                    await step()
        finally:
            self.closed += 1


def title(title_id: str, *, characters: int = 1) -> Title:
    cast = tuple(Character(f"{title_id}-{one}", f"Person {one}", (), "", 40) for one in range(characters))
    return Title(title_id, f"Film {title_id}", Kind.FILM, 2000, (), 50, cast)


def batch(*titles: str, step: str = "films", **more: Any) -> Batch:
    brought = tuple(title(one) for one in titles)
    return Batch({}, step, **{"done": len(titles), "total": 10, "titles": brought, **more})


@asynccontextmanager
async def process(
    pool: Pool,
    clock: Clock,
    source: Script | Callable[[Sync], Any],
    pace: Pace = PACE,
    work: Callable[..., Work] = Work,
    changed: Callable[[], None] = lambda: None,
) -> AsyncIterator[Syncing]:
    """A process that works at syncs while the block runs, and ends in good order after it."""
    found = (lambda _: source) if isinstance(source, Script) else source
    working = work(pool, clock, Announcing(clock, uuid4).synced)
    syncing = Syncing(working, found, uuid4(), changed, pace)
    task = asyncio.create_task(syncing.run())
    try:
        yield syncing
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    """Returns once it is so."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await found():
            await asyncio.sleep(0.01)


async def kept(pool: Pool) -> list[str]:
    """The ids of all titles."""
    return sorted([one.id async for one in Catalogue(pool, Clock()).titles()])


async def told(pool: Pool) -> list[Envelope]:
    """The events on their way out."""
    return [opened(row["payload"]) for row in await pool.fetch("SELECT payload FROM outbox ORDER BY seq")]


async def wished(pool: Pool) -> list[Any]:
    """The syncs for which an index is to be built."""
    return [row["sync_id"] for row in await pool.fetch("SELECT sync_id FROM build_wishes ORDER BY id")]


async def until_true(found: Callable[[], bool]) -> None:
    """Returns once it is so."""

    async def there() -> bool:
        return found()

    await until(there)


async def begun(syncs: Syncs, source: str = "tmdb", mode: Mode | None = None) -> Sync:
    return await syncs.begin(Order(uuid4(), source, mode))


async def reached(syncs: Syncs, sync: Sync, state: State) -> Sync:
    """The sync once it is in this state. Whose connection is cut while they look, look again."""

    async def there() -> bool:
        try:
            return (await syncs.sync(sync.id)).state is state
        except Unavailable:
            return False

    await until(there)
    return await syncs.sync(sync.id)


async def done(syncs: Syncs, sync: Sync, titles: int) -> None:
    """Returns once so many titles of a sync are kept."""

    async def there() -> bool:
        return (await syncs.sync(sync.id)).titles_kept == titles

    await until(there)
