"""The processes' logs: followed for the person at the terminal, and kept from growing without end."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOG_BYTES_MAX = 32 * 1024 * 1024
CHUNK_BYTES_MAX = 256 * 1024
LINE_CHARACTERS_MAX = 160
SHOWN_LEVELS = frozenset({"warning", "error", "critical"})
# What every line has, and what is said in another way.
UNSAID = frozenset({"process", "level", "timestamp", "event", "logger", "exception", "request_id", "user"})


@dataclass(frozen=True)
class Line:
    """One line worth showing."""

    process: str
    level: str
    text: str


@dataclass
class Follower:
    """Reads what has been added to the logs of a folder since the last time."""

    folder: Path
    _positions: dict[Path, int] = field(default_factory=dict)

    def skip(self) -> None:
        """Begins at the ends that the logs have now."""
        self._positions = {file: file.stat().st_size for file in self.folder.glob("*.log")}

    def lines(self) -> Iterator[Line]:
        """The new lines that are worth showing, in any order between the logs."""
        for file in sorted(self.folder.glob("*.log")):
            for raw in self._added(file):
                if line := shown(file.stem, raw):
                    yield line
            if self._positions.get(file, 0) > LOG_BYTES_MAX:
                self._set_aside(file)

    def _added(self, file: Path) -> list[str]:
        position = self._positions.get(file, 0)
        with file.open("rb") as log:
            log.seek(position)
            whole, newline, _ = log.read(CHUNK_BYTES_MAX).rpartition(b"\n")
        self._positions[file] = position + len(whole) + len(newline)
        return whole.decode(errors="replace").splitlines()

    def _set_aside(self, file: Path) -> None:
        """Keeps one earlier piece of a log; its writer appends, and so goes on at the new end."""
        shutil.copyfile(file, file.with_suffix(".log.1"))
        os.truncate(file, 0)
        self._positions[file] = 0


def shown(process: str, raw: str) -> Line | None:
    """What a person should see of a line: warnings, errors, and finished calls of our own contract."""
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    level = str(entry.get("level", ""))
    rpc = str(entry.get("rpc", ""))
    if entry.get("event") == "rpc" and rpc.startswith("scenemesh."):
        return Line(process, level, f"{rpc.rpartition('/')[2]} {entry.get('code')} {entry.get('duration_ms')} ms")
    if level in SHOWN_LEVELS and entry.get("event") != "rpc":
        return Line(process, level, _cut(" ".join([str(entry.get("event", "")), *_details(entry)])))
    return None


def _details(entry: dict[str, Any]) -> Iterator[str]:
    exception = str(entry.get("exception", "")).strip()
    if exception:
        yield exception.splitlines()[-1]
    for name, value in entry.items():
        if name not in UNSAID:
            yield f"{name}={value}"


def last_words(file: Path) -> str:
    """The last line of a log: what a process that ended had to say. Empty if there is none."""
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - CHUNK_BYTES_MAX))
            lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    if not lines:
        return ""
    line = shown(file.stem, lines[-1])
    return line.text if line else _cut(lines[-1].strip())


def _cut(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= LINE_CHARACTERS_MAX else f"{flat[: LINE_CHARACTERS_MAX - 1]}…"
