"""Index versions that an operator puts into service."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from services.search_svc.domain.version import Version, unusable
from services.search_svc.store import Versions
from services.search_svc.versions.files import Files, UnusableFile

log = structlog.get_logger()


class Activating:
    """`activated` is called when another version came into service, `clock` gives the present in UTC."""

    def __init__(
        self, versions: Versions, files: Files, activated: Callable[[], None], clock: Callable[[], datetime]
    ) -> None:
        self._versions = versions
        self._files = files
        self._activated = activated
        self._clock = clock

    async def activate(self, number: int, operator: str) -> Version:
        """Puts a version into service, if its file is on disk and agrees with its checksum."""
        wanted = await self._versions.version(number)
        wanted.check_on_disk()
        try:
            await asyncio.to_thread(self._files.opened, wanted.number, wanted.checksum)
        except UnusableFile as error:
            raise unusable(number, f"cannot be loaded: its file {error}") from error
        version, changed = await self._versions.activate(number, operator, self._clock())
        if changed:
            log.info("index version in service", version=number, operator=operator)
            self._activated()
        return version
