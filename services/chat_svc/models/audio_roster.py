"""The models that may hear or speak just now. They follow `models.toml` while the process runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import structlog

from services.chat_svc.domain.audio import Task
from services.chat_svc.models.audio_models import audible
from services.chat_svc.models.models import ModelsError
from services.chat_svc.providers.audio import Audio

log = structlog.get_logger()


class AudioRoster:
    """`async with` closes what is open at its end. A file with faults is told in the log, and what was before stays.

    ModelsError where it has faults to begin with.
    """

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._path = path
        self._environment = environment
        self._written = _written(path)
        self._present = self._opened()
        # One that somebody may still use is closed at the end.
        self._past: list[Audio] = []

    async def __aenter__(self) -> AudioRoster:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (*self._present, *self._past):
            await one.close()

    def able(self, task: Task) -> tuple[Audio, ...]:
        """Those that do it, the first to ask first."""
        if (written := _written(self._path)) != self._written:
            self._written = written
            self._take()
        return tuple(one for one in self._present if one.model.task is task)

    def _take(self) -> None:
        try:
            present = self._opened()
        except ModelsError as error:
            for fault in error.faults:
                log.error("audio models not reloaded", fault=fault)
            return
        self._past += self._present
        self._present = present

    def _opened(self) -> tuple[Audio, ...]:
        return tuple(Audio(model, key) for model, key in audible(self._path, self._environment))


def nobody(task: Task) -> tuple[Audio, ...]:
    """For a process that reaches none."""
    return ()


def _written(path: Path) -> int:
    """When a file was written; 0 for one that is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
