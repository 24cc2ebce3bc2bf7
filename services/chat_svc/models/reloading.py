"""The roster and the hedges follow `models.toml`: a change of the file takes effect while the process runs."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog

from services.chat_svc.domain.hedging import Hedges
from services.chat_svc.models.models import ModelsError, reached
from services.chat_svc.models.roster import Roster

log = structlog.get_logger()

POLL_SECONDS = 2.0

# What tells one state of a file from another: when it was written, its size, and which file it is.
Stamp = tuple[int, int, int]


class Reloading:
    """Looks at the file every two seconds. One with faults is told in the log, and what was there before stays."""

    def __init__(self, path: Path, environment: Mapping[str, str], roster: Roster, hedges: Hedges) -> None:
        self._path = path
        self._environment = environment
        self._roster = roster
        self._hedges = hedges
        self._stamp = _stamp(path)

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self.look()
            except Exception:
                # What the parser or a provider's client makes of a file would end all processes that share it.
                log.exception("models not reloaded")

    async def look(self) -> None:
        """Takes over what the file says now, if it has changed and is sound."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            self._take()
        await self._roster.close_left()

    def _take(self) -> None:
        try:
            said = reached(self._path, self._environment)
        except ModelsError as error:
            for fault in error.faults:
                log.error("models not reloaded", fault=fault)
            return
        self._roster.take(said.models)
        self._hedges.rule = said.hedging
        log.info("models", models=[model.id for model, _ in said.models])


def _stamp(path: Path) -> Stamp | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino
