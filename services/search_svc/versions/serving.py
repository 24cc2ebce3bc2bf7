"""What this replica serves: the active index version, or the best one that can be had."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from runtime.errors import MeshError, Unavailable
from services.search_svc.domain.version import ServingStatus, Version
from services.search_svc.index.index import Index
from services.search_svc.store import Versions
from services.search_svc.versions.files import Files, Signature, UnusableFile

log = structlog.get_logger()

POLL_SECONDS = 1.0
# While there is nothing that should serve, a build is asked for this often: the last one may have failed.
WISH_INTERVAL = timedelta(seconds=60)


@dataclass(frozen=True)
class Loaded:
    index: Index
    version: int
    moment: datetime


class Serving:
    """`wished` is called when a build was asked for, `clock` gives the present in UTC."""

    def __init__(
        self, versions: Versions, files: Files, wished: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._versions = versions
        self._files = files
        self._wished = wished
        self._clock = clock
        self._loaded: Loaded | None = None
        self._ready = asyncio.Event()
        self._nudged = asyncio.Event()
        self._swapped: list[Callable[[int], None]] = []
        self._degraded = ""
        # The active version whose file cannot serve, and what the file looked like when it was tried.
        self._tried: tuple[int, Signature | None] | None = None
        self._wish_time: datetime | None = None
        self._away = False

    @property
    def index(self) -> Index:
        """The index to answer from. Whoever holds it can go on with it when another one is in service."""
        return self._now().index

    @property
    def status(self) -> ServingStatus:
        loaded = self._now()
        return ServingStatus(loaded.version, loaded.moment, self._degraded)

    def on_swap(self, callback: Callable[[int], None]) -> None:
        """Calls back with its version whenever another index has come into service here."""
        self._swapped.append(callback)

    def nudge(self) -> None:
        """Says that another version may be active, so that nobody waits for the next look. Call it after the commit."""
        self._nudged.set()

    async def first(self) -> None:
        """Waits until there is an index to serve: on a new machine, until one was built."""
        await self._ready.wait()

    async def run(self) -> None:
        """Follows the active version until it is cancelled. While the database is away, what is loaded serves on."""
        while True:
            self._nudged.clear()
            try:
                await self.follow()
            except MeshError as error:
                if not self._away:
                    log.warning("active index version unknown", reason=error.reason)
                self._away = True
            except Exception:
                log.exception("defect in following the active index version")
            else:
                self._away = False
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._nudged.wait()

    async def follow(self) -> None:
        """Looks which version is active, and loads it."""
        active = await self._versions.active()
        if active is None:
            await self._wish()
        elif self._loaded is not None and self._loaded.version == active.number:
            self._degraded, self._tried, self._wish_time = "", None, None
        elif self._tried == (active.number, self._files.signature(active.number)):
            await self._wish()
        else:
            await self._load(active)

    async def _load(self, active: Version) -> None:
        signature = self._files.signature(active.number)
        try:
            self._swap(active, await asyncio.to_thread(self._files.opened, active.number, active.checksum))
            self._degraded, self._tried, self._wish_time = "", None, None
        except UnusableFile as error:
            log.error("index unusable", version=active.number, error=str(error))
            self._tried = (active.number, signature)
            if self._loaded is None:
                await self._fall_back(active.number)
            self._degraded = self._sentence(active.number, str(error))
            await self._wish()

    async def _fall_back(self, number: int) -> None:
        """Loads the newest version that can serve instead of this one."""
        for version in await self._versions.fit():
            if version.number == number:
                continue
            try:
                self._swap(version, await asyncio.to_thread(self._files.opened, version.number, version.checksum))
            except UnusableFile as error:
                log.error("index unusable", version=version.number, error=str(error))
            else:
                return

    def _swap(self, version: Version, index: Index) -> None:
        replaced = self._loaded.version if self._loaded is not None else None
        self._loaded = Loaded(index, version.number, self._clock())
        log.info("index loaded", version=version.number, replaced=replaced, entries=version.counts.entries)
        for callback in self._swapped:
            callback(version.number)
        self._ready.set()

    def _sentence(self, number: int, why: str) -> str:
        if self._loaded is None:
            return f"Index version {number} is active, but its file {why}: a new one is built."
        serves = f"version {self._loaded.version} serves until a new one is built"
        return f"Index version {number} is active, but its file {why}: {serves}."

    async def _wish(self) -> None:
        """Asks for a build, now and then."""
        now = self._clock()
        if self._wish_time is not None and now - self._wish_time < WISH_INTERVAL:
            return
        self._wish_time = now
        await self._versions.wish(now)
        self._wished()

    def _now(self) -> Loaded:
        if self._loaded is None:
            raise Unavailable("There is no index yet: the first one is being built.", reason="INDEX_NOT_READY")
        return self._loaded
