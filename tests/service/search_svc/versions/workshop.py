"""A replica's part in index versions, wired as `__main__` wires it, over titles and a folder of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from redis.asyncio import Redis

from runtime.events.envelope import opened
from runtime.postgres import Pool
from scenemesh.events.v1.envelope_pb2 import Envelope
from services.search_svc.announcing import Announcing
from services.search_svc.domain.comparing import Asked
from services.search_svc.domain.entries import Character, Kind, Title
from services.search_svc.domain.version import Built, Order, Outcome, State, Version
from services.search_svc.index.build import build
from services.search_svc.index.index import Index
from services.search_svc.store import Versions
from services.search_svc.versions.activating import Activating
from services.search_svc.versions.building import Build, Building
from services.search_svc.versions.comparing import compared
from services.search_svc.versions.files import Files
from services.search_svc.versions.recent import Recent
from services.search_svc.versions.serving import Serving

WAIT_SECONDS = 90
NOW = datetime(2026, 11, 22, tzinfo=UTC)

NEO = Character("neo", "Neo", ("The One",), "", 90.0)
MATRIX = Title("the-matrix", "The Matrix", Kind.FILM, 1999, (), 95.0, (NEO,))
SPEED = Title("speed", "Speed", Kind.FILM, 1994, (), 70.0)
AKIRA = Title("akira", "Akira", Kind.ANIME, 1988, (), 80.0)
TITLES = (MATRIX, SPEED, AKIRA)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Site:
    """Builds in this process, from the titles that the test sets."""

    directory: Path
    titles: Sequence[Title] = TITLES
    orders: list[Order] = field(default_factory=list)

    async def __call__(self, order: Order, queries: Sequence[Asked]) -> Outcome:
        self.orders.append(order)
        file = self.directory / f"{order.number}.index"
        summary = build(self.titles, file, order.number)
        return Built(summary, compared(Files(self.directory), order, Index.open(file), queries))


@dataclass
class Replica:
    connections: Pool
    versions: Versions
    files: Files
    recent: Recent
    building: Building
    serving: Serving
    activating: Activating
    clock: Clock
    owner: UUID
    nudges: list[str]

    async def built(self) -> Version:
        """Asks for a build, sees it to its end, and gives the newest version."""
        await self.wish()
        assert await self.building.turn()
        return (await self.listed())[0]

    async def wish(self) -> None:
        await self.connections.execute("INSERT INTO build_wishes (created_at) VALUES ($1)", self.clock())

    async def listed(self) -> list[Version]:
        """All versions, newest first."""
        return await self.versions.page(None, 1000)

    async def states(self) -> dict[int, State]:
        return {version.number: version.state for version in await self.listed()}

    async def active(self) -> int | None:
        active = await self.versions.active()
        return active.number if active is not None else None

    def serves(self) -> int | None:
        """The version that it answers from."""
        return self.serving.index.version if self.serving._loaded is not None else None

    async def events(self) -> list[Envelope]:
        """What waits to be published, oldest first."""
        return [opened(row["payload"]) for row in await self.connections.fetch("SELECT * FROM outbox ORDER BY seq")]

    def on_disk(self) -> list[str]:
        return sorted(file.name for file in self.files.directory.iterdir())


def replica(
    connections: Pool,
    redis: Redis,
    directory: Path,
    clock: Clock,
    work: Build,
) -> Replica:
    owner, nudges = uuid4(), list[str]()
    versions = Versions(connections, Announcing(clock, uuid4).activated)
    files, recent = Files(directory), Recent(redis)

    def activated() -> None:
        nudges.append("activated")
        serving.nudge()

    building = Building(versions, files, work, recent.latest, activated, owner, clock)
    serving = Serving(versions, files, building.nudge, clock)
    activating = Activating(versions, files, activated, clock)
    return Replica(connections, versions, files, recent, building, serving, activating, clock, owner, nudges)


def films(names: Iterable[str]) -> tuple[Title, ...]:
    return tuple(Title(name.lower(), name, Kind.FILM, 2000, (), 50.0) for name in names)


@asynccontextmanager
async def running(*work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Runs these in the background while the block runs."""
    tasks = [asyncio.ensure_future(one()) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def eventually(holds: Callable[[], Awaitable[bool]] | Callable[[], bool]) -> None:
    """Waits until this is so."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            found = holds()
            if (await found) if isinstance(found, Awaitable) else found:
                return
            await asyncio.sleep(0.02)
