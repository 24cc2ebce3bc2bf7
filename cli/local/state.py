"""The state folder: everything of a stack that outlives a process."""

import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cli.local import leftovers
from cli.local.failure import Failure

# The kernel's limit for a unix socket's path, and the longest name that one of ours has in its folder.
SOCKET_PATH_BYTES_MAX = 107
SOCKET_NAME_BYTES_MAX = len("/.s.PGSQL.5432.lock")


@dataclass(frozen=True)
class Running:
    """One process of a stack, as stack.json tells it."""

    pid: int
    created: float
    address: str
    restarts: int = 0


@dataclass(frozen=True)
class Stack:
    """stack.json: where a stack is reached, and what runs in it."""

    url: str
    healthy: bool
    supervisor: Running
    processes: Mapping[str, Running] = field(default_factory=dict)

    @property
    def payments(self) -> str | None:
        """The page of the pretend Stripe; None where the real one is used."""
        stripe = self.processes.get("stripe")
        return stripe.address if stripe is not None else None


@dataclass(frozen=True)
class State:
    """The folder of one stack."""

    root: Path

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def issuers(self) -> Path:
        """The issuers file of the local issuer."""
        return self.keys / "issuers.toml"

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    @property
    def indexes(self) -> Path:
        """Where search_svc keeps its index files."""
        return self.root / "indexes"

    @property
    def payments(self) -> Path:
        """Where the pretend Stripe keeps what was bought."""
        return self.root / "stripe.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def sockets(self) -> Path:
        """The folder for unix sockets: `run`, or a private one elsewhere where that path is too long."""
        if len(os.fsencode(self.run)) + SOCKET_NAME_BYTES_MAX <= SOCKET_PATH_BYTES_MAX:
            return self.run
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"scenemesh-{os.geteuid()}-{digest}"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def create(self) -> None:
        """Makes the folders, closed to everybody else."""
        for folder in (self.root, self.keys, self.logs, self.run, self.sockets, self.root / "valkey"):
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                folder.chmod(0o700)
            except OSError as error:
                raise Failure(f"{folder} cannot be used as a state folder: {error.strerror}.") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps the folder for one supervisor; the lock goes with its process. Ends what an earlier one left."""
        with (self.run / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Failure(f"A stack already runs in {self.root}: `scenemesh down` stops it.") from error
            leftovers.end(leftovers.noted(self.run))
            for file in (*self.run.glob("*.pid"), *self.run.glob("*.ready"), self.run / "stack.json"):
                file.unlink(missing_ok=True)
            yield

    def write(self, stack: Stack) -> None:
        """Replaces stack.json in one step."""
        new = self.run / "stack.json.new"
        new.write_text(json.dumps(asdict(stack), indent=2))
        new.replace(self.run / "stack.json")

    def read(self) -> Stack | None:
        """What stack.json says; None when no stack runs here, or its supervisor was killed."""
        try:
            told = json.loads((self.run / "stack.json").read_text())
            supervisor = Running(**told.pop("supervisor"))
            processes = {name: Running(**process) for name, process in told.pop("processes").items()}
            stack = Stack(**told, supervisor=supervisor, processes=processes)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return stack if leftovers.alive(supervisor.pid, supervisor.created) else None

    def forget(self) -> None:
        (self.run / "stack.json").unlink(missing_ok=True)
