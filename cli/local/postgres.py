"""Postgres out of its wheel: on a socket in a private folder, which is its only guard and a sufficient one."""

import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from cli.local.account import Account
from cli.local.failure import Failure
from cli.local.process import Launch, completed

SUPERUSER = "postgres"
DATABASE = "scenemesh"
CONNECTIONS_MAX = 300
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": str(CONNECTIONS_MAX),
    "log_line_prefix": "%m [%p] %q%a ",
}


@dataclass(frozen=True)
class Postgres:
    """One database cluster of ours."""

    binaries: Path
    data: Path
    sockets: Path
    log: Path
    account: Account | None

    @property
    def dsn(self) -> str:
        return f"postgresql://{DATABASE}@/{DATABASE}?host={self.sockets}"

    async def create(self) -> None:
        """Makes the cluster, its role and its database, unless they are there: all of it, or nothing is kept."""
        if (self.data / "PG_VERSION").exists():
            return
        new = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if self.account is not None:
            shutil.chown(new, self.account.uid, self.account.gid)
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
        await self._do("initdb", "--auth=trust", f"--username={SUPERUSER}", *locale, f"--pgdata={new}")
        await self._do(
            "postgres",
            *("--single", "-D", str(new), SUPERUSER),
            text=f"CREATE ROLE {DATABASE} LOGIN\nCREATE DATABASE {DATABASE} OWNER {DATABASE}\n",
        )
        new.rename(self.data)

    async def _do(self, command: str, *arguments: str, text: str = "") -> None:
        code = await completed(self._launch(command, *arguments), log=self.log, text=text)
        if code != 0:
            raise Failure(f"{command} could not create the database (exit code {code}): see {self.log}.")

    def launch(self) -> Launch:
        settings = {**SETTINGS, "unix_socket_directories": str(self.sockets)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._launch("postgres", "-D", str(self.data), *options)

    def _launch(self, command: str, *arguments: str) -> Launch:
        return Launch(
            command=(str(self.binaries / command), *arguments),
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": "/usr/bin:/bin"},
            account=self.account,
            stop_signal=signal.SIGINT,  # «fast»: SIGTERM would wait for the clients
            death_signal=signal.SIGQUIT,  # «immediate»: ends its own children and leaves the log to be replayed
        )

    async def ready(self, pid: int) -> str | None:
        """The socket's folder once this process takes connections: the eighth line of its pid file says so."""
        try:
            lines = (self.data / "postmaster.pid").read_text().split("\n")
        except OSError:
            return None
        serving = len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"
        return str(self.sockets) if serving else None
